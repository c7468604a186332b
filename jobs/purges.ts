import type { PurgeRun } from "../src/catalog/destroyed.ts";
import { uncertified } from "../src/certificate/uncertified.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, run } from "../src/cli/command.ts";
import { type ListFlags, listCommand, tableText } from "../src/cli/listing.ts";
import { firstFew } from "../src/observe/first-few.ts";
import { bytes, minute, number, plural, verifications } from "../src/observe/format.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openReading } from "../src/session/open-reading.ts";

export const purgesCommand = listCommand("purges", "list the purges that destroyed something, the newest first", [
  "holdfast retention purges",
  "holdfast retention purges --json | jq '.clients[].purges[] | {run, people, last}'",
])
  .addHelpText(
    "after",
    `
Reads the log only, and changes nothing. What a purge would take now is listed by: holdfast retention purge
A run without a certificate was stopped. The next purge's certificate covers it; so does, for this run alone:
  holdfast retention certificate --client acme-bank --run 20261129T021500Z-0a1b2c --out ./destroyed`,
  )
  .action((options: CommonOptions & ListFlags) =>
    run(options, async (session) => {
      await tellClients(session, "retention purges", (onFailure) => listPurgeRuns(session, onFailure), {
        lines: (all) => all.flatMap((each) => purgesText(each, options)),
      });
    }),
  );

export interface PurgeRunList {
  readonly client: string;
  readonly purges: readonly (PurgeRun & {
    /** This machine stopped in it, and has written no certificate that covers it. */
    readonly uncertified: boolean;
  })[];
  /** People of whom a purge has begun that has not ended. */
  readonly unfinished: number;
}

/** What each purge destroyed, as the log says. Reads only, and runs beside an export. */
export async function listPurgeRuns(
  session: Session,
  onFailure?: (failure: ClientFailure) => void,
): Promise<PurgeRunList[]> {
  return eachClient(
    session,
    async (config) => {
      await using reading = await openReading(config, session);
      const { purges } = reading.catalog;
      const open = uncertified(config.state);
      return {
        client: config.id,
        purges: purges.runs().map((each) => ({ ...each, uncertified: open.includes(each.run) })),
        unfinished: purges.unfinished().length,
      };
    },
    onFailure,
  );
}

function purgesText({ client, purges, unfinished }: PurgeRunList, { all }: ListFlags): string[] {
  const begun =
    unfinished === 0
      ? []
      : [
          `  A purge of ${verifications(unfinished)} has begun and not ended: the next retention purge goes on with it.`,
        ];
  if (purges.length === 0)
    return [`${client}: ${unfinished === 0 ? "nothing was purged" : "no purge has ended"}`, ...begun];
  const rows = purges.map(({ run: name, ...of }) => [
    minute(of.last),
    name,
    ...[number(of.people), number(of.records), number(of.files), bytes(of.bytes)],
  ]);
  const heads = ["ended (UTC)", "run", "verifications", "records", "files", "size"];
  const approved = (all ? purges : firstFew(purges, "").first).flatMap(({ run: name, approvedBy }) =>
    approvedBy === null ? [] : [`  A second person approved ${name}: …${approvedBy.slice(-8)}`],
  );
  const open = purges.filter((each) => each.uncertified).map((each) => `  No certificate covers ${each.run}.`);
  return [
    ...tableText(`${client}: ${plural(purges.length, "purge")}`, heads, rows, { all }),
    ...approved,
    ...open,
    ...begun,
  ];
}
