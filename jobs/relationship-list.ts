import type { EndedRelationship } from "../src/catalog/relationships.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, run } from "../src/cli/command.ts";
import { type ListFlags, listCommand, tableText } from "../src/cli/listing.ts";
import { minute, number, plural } from "../src/observe/format.ts";
import { dateIn } from "../src/retention/period.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openReading } from "../src/session/open-reading.ts";

export const relationshipListCommand = listCommand(
  "list",
  "list the relationships that have ended, what was told last first",
  [
    "holdfast relationship list",
    "holdfast relationship list --all > ended.txt",
    "holdfast relationship list --json | jq '.clients[].ended[] | select(.ended >= \"2026-10-01\")'",
  ],
)
  .addHelpText(
    "after",
    `
Reads the log only, and changes nothing. People are tokens. A relationship that was reopened is not listed: it lasts.
"purged" means that nothing is left of the person.`,
  )
  .action((options: CommonOptions & ListFlags) =>
    run(options, async (session) => {
      await tellClients(session, "relationship list", (onFailure) => listRelationships(session, onFailure), {
        lines: (all) => all.flatMap((each) => endedText(each, options)),
      });
    }),
  );

export interface RelationshipList {
  readonly client: string;
  /** Today's date in the client's zone: what is recorded of a later day has not ended yet. */
  readonly today: string;
  readonly ended: readonly EndedRelationship[];
}

/** The relationships that have ended, as the log says. Reads only, and runs beside an export. */
export async function listRelationships(
  session: Session,
  onFailure?: (failure: ClientFailure) => void,
): Promise<RelationshipList[]> {
  return eachClient(
    session,
    async (config) => {
      await using reading = await openReading(config, session);
      const today = dateIn(session.now(), config.retention.timezone).toString();
      return { client: config.id, today, ended: reading.catalog.relationships.list() };
    },
    onFailure,
  );
}

function endedText({ client, today, ended }: RelationshipList, { all }: ListFlags): string[] {
  if (ended.length === 0) return [`${client}: no relationship has ended that Holdfast was told of`];
  const ahead = ended.filter((each) => each.ended > today).length;
  return tableText(
    `${client}: ${plural(ended.length - ahead, "relationship")} ended${ahead > 0 ? `, ${number(ahead)} to end` : ""}`,
    ["last day", "told (UTC)", "person (token)", ""],
    ended.map((each) => [
      each.ended,
      minute(each.told),
      each.subject,
      each.purged ? "purged" : each.ended > today ? "ends" : "",
    ]),
    { all },
  );
}
