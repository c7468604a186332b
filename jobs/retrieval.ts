import { Command } from "commander";
import type { RetrievalTold } from "../src/catalog/retrievals.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, run } from "../src/cli/command.ts";
import { type ListFlags, listCommand, tableText } from "../src/cli/listing.ts";
import { minute, number, plural } from "../src/observe/format.ts";
import { subjectOf } from "../src/people/people.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openReading } from "../src/session/open-reading.ts";

interface Flags extends ListFlags {
  readonly subject?: string;
}

const list = listCommand("list", "list what was asked for with retrieve, and what came of it, the newest first", [
  "holdfast retrieval list",
  "holdfast retrieval list --subject 9c4f…       who was given this person's records",
  "holdfast retrieval list --json | jq '.clients[].retrievals[] | select(.outcome == \"prepared\")'",
])
  .option("--subject <token>", "only retrievals of this person", subjectOf)
  .addHelpText(
    "after",
    `
Reads the log only, and changes nothing. The log has a commitment to case, reason and who asked: the words are in the bag,
in evidence/retrieval.json, whose salt and words give the commitment that --json shows.

Outcomes:
  bag                 a bag was made
  asked               a request was written for a second person to sign
  refused: …          nothing was handed out: bad-signature, not-listed (a key that may not approve), expired`,
  )
  .action((options: CommonOptions & Flags) =>
    run(options, async (session) => {
      await tellClients(session, "retrieval list", (onFailure) => listRetrievals(session, options, onFailure), {
        lines: (all) => all.flatMap((each) => retrievalsText(each, options)),
      });
    }),
  );

export const retrievalCommand = new Command("retrieval")
  .description("what was handed out, or asked for and refused")
  .addCommand(list);

export interface RetrievalList {
  readonly client: string;
  readonly retrievals: readonly RetrievalTold[];
}

/** Every retrieval that was asked for, as the log says. Reads only, and runs beside an export. */
export async function listRetrievals(
  session: Session,
  { subject }: Pick<Flags, "subject">,
  onFailure?: (failure: ClientFailure) => void,
): Promise<RetrievalList[]> {
  return eachClient(
    session,
    async (config) => {
      await using reading = await openReading(config, session);
      const all = reading.catalog.retrievals.list();
      const retrievals = subject === undefined ? all : all.filter(({ subjects }) => subjects.includes(subject));
      return { client: config.id, retrievals };
    },
    onFailure,
  );
}

function retrievalsText({ client, retrievals }: RetrievalList, { all, subject }: Flags): string[] {
  const of = subject === undefined ? "" : " of this person";
  if (retrievals.length === 0) return [`${client}: no retrieval${of} was asked for`];
  return tableText(
    `${client}: ${plural(retrievals.length, "retrieval")}${of} asked for`,
    ["time (UTC)", "outcome", "people", "records", "files", "approved by"],
    retrievals.map(({ time, outcome, subjects, records, files, approvedBy }) => [
      minute(time),
      outcome === "prepared" ? "bag" : outcome === "missing" ? "asked" : `refused: ${outcome}`,
      number(subjects.length),
      number(records),
      number(files),
      // The end of the public key: the config and --json have all of it.
      approvedBy === null ? "" : `…${approvedBy.slice(-8)}`,
    ]),
    { all },
  );
}
