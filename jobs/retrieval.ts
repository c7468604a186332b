import { Command } from "commander";
import { commitment } from "../src/bag/retrieval.ts";
import type { RetrievalTold } from "../src/catalog/retrievals.ts";
import { subject } from "../src/cli/arguments.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, run } from "../src/cli/command.ts";
import { type ListFlags, listCommand, tableText } from "../src/cli/listing.ts";
import { quoted } from "../src/core/printable.ts";
import { type Opened, openNotes, refuseFalse } from "../src/notes/open.ts";
import { minute, number, plural } from "../src/observe/format.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openKeyFile } from "../src/session/key-file.ts";
import { openReading } from "../src/session/open-reading.ts";

interface Flags extends ListFlags {
  readonly key?: string;
  readonly subject?: string;
}

const list = listCommand("list", "list what was asked for with retrieve, and what came of it, the newest first", [
  "holdfast retrieval list",
  "holdfast retrieval list --subject 9c4f0e1d2b3a49586776859403122130   who was given this person's records",
  "holdfast retrieval list --json | jq '.clients[].retrievals[] | select(.outcome == \"prepared\")'",
])
  .option("--subject <token>", "only retrievals of this person", subject)
  .option(
    "--key <file>",
    "age identity file of the officer: opens the sealed notes and shows case, reason and who asked",
  )
  .addHelpText(
    "after",
    `
Changes nothing. The log has a commitment to case, reason and who asked. The words are in the bag, and in sealed notes
beside the log: with --key they are shown. Each note is held to the log, and one that is not what the log commits to is
reported, with exit code 4. There is a note where a bag was made, as long as the vault has anything of its people.

Outcomes:
  bag                 a bag was made
  asked               a request was written for a second person to sign
  refused: …          nothing was handed out: bad-signature, not-listed (a key that may not approve), expired`,
  )
  .action((options: CommonOptions & Flags) =>
    run(options, async (session) => {
      await tellClients(session, "retrieval list", (onFailure) => listRetrievals(session, options, onFailure), {
        lines: (all) => all.flatMap((each) => retrievalsText(each, options)),
        refuse: (all) => refuseFalse(all.flatMap(({ retrievals }) => retrievals.map(({ note }) => note ?? undefined))),
      });
    }),
  );

export const retrievalCommand = new Command("retrieval")
  .description("what was handed out, or asked for and refused")
  .addCommand(list);

export interface RetrievalList {
  readonly client: string;
  readonly retrievals: readonly (RetrievalTold & {
    /** With the officer's key: what the sealed note says; null without a note. */
    readonly note?: Opened | null;
  })[];
}

/** Every retrieval that was asked for, as the log says. Reads only, and runs beside an export. */
export async function listRetrievals(
  session: Session,
  { subject, key }: Pick<Flags, "subject" | "key">,
  onFailure?: (failure: ClientFailure) => void,
): Promise<RetrievalList[]> {
  const opener = key === undefined ? undefined : await openKeyFile(key);
  return eachClient(
    session,
    async (config) => {
      await using reading = await openReading(config, session);
      const all = reading.catalog.retrievals.list();
      const retrievals = subject === undefined ? all : all.filter(({ subjects }) => subjects.includes(subject));
      if (opener === undefined) return { client: config.id, retrievals };
      const { vault, catalog } = reading;
      const told: RetrievalList["retrievals"][number][] = [];
      for (const each of retrievals) {
        const note = await openNotes({ vault, opener }, catalog.notes.committed(each.commitment), (said) =>
          said.about === "retrieval" ? commitment(said, said.salt) : undefined,
        );
        told.push({ ...each, note: note ?? null });
      }
      return { client: config.id, retrievals: told };
    },
    onFailure,
  );
}

function retrievalsText({ client, retrievals }: RetrievalList, { all, subject, key }: Flags): string[] {
  const of = subject === undefined ? "" : " of this person";
  if (retrievals.length === 0) return [`${client}: no retrieval${of} was asked for`];
  return tableText(
    `${client}: ${plural(retrievals.length, "retrieval")}${of} asked for`,
    [
      "time (UTC)",
      "outcome",
      "tokens",
      "records",
      "files",
      "approved by",
      ...(key === undefined ? [] : ["case", "requested by", "reason"]),
    ],
    retrievals.map(({ time, outcome, subjects, records, files, approvedBy, note }) => [
      minute(time),
      outcome === "prepared" ? "bag" : outcome === "missing" ? "asked" : `refused: ${outcome}`,
      number(subjects.length),
      number(records),
      number(files),
      // The end of the public key: the config and --json have all of it.
      approvedBy === null ? "" : `…${approvedBy.slice(-8)}`,
      ...(note === undefined ? [] : wordsOf(note)),
    ]),
    { all },
  );
}

function wordsOf(note: Opened | null): string[] {
  if (note === null) return ["no note", "", ""];
  if ("problem" in note) return ["?", "", note.problem];
  return [quoted(note.case), quoted(note.requestedBy ?? ""), quoted(note.reason)];
}
