import type { HeldCase } from "../src/catalog/holds.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, run } from "../src/cli/command.ts";
import { type ListFlags, listCommand, tableText } from "../src/cli/listing.ts";
import { quoted } from "../src/core/printable.ts";
import { type Opened, openNotes, refuseFalse } from "../src/notes/open.ts";
import { minute, people, plural } from "../src/observe/format.ts";
import { oddly } from "../src/people/people.ts";
import { plainText } from "../src/record/spellings.ts";
import { openTokens, type Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openKeyFile } from "../src/session/key-file.ts";
import { openReading } from "../src/session/open-reading.ts";

interface Flags extends ListFlags {
  readonly key?: string;
  readonly case?: string;
}

export const holdListCommand = listCommand("list", "list the legal holds in effect, by case, the newest first", [
  "holdfast hold list",
  "holdfast hold list --case 'AZ 17/26'        whom this case holds",
  "holdfast hold list --json | jq '.clients[].cases[]'",
])
  .option("--case <number>", "only this case, as it was written when the hold was placed")
  .option("--key <file>", "age identity file of the officer: opens the sealed notes and shows case and reason")
  .addHelpText(
    "after",
    `
Changes nothing. The log has a token for each case and each person; the lookup key turns a case's number into its token,
and no key turns a token back. Number and reason are in sealed notes beside the log: with --key they are shown. Each is
held to the log, and one that is not what the log commits to is reported, with exit code 4. Holds placed by earlier
versions have no note: ask for those with --case.`,
  )
  .action((options: CommonOptions & Flags) =>
    run(options, async (session) => {
      await tellClients(session, "hold list", (onFailure) => listHolds(session, options, onFailure), {
        lines: (all) => all.flatMap((each) => holdsText(each, options)),
        refuse: (all) => refuseFalse(all.flatMap(({ cases }) => cases.flatMap(({ notes = [] }) => notes))),
      });
    }),
  );

export interface HoldList {
  readonly client: string;
  /** People under a hold, each counted once. */
  readonly people: number;
  readonly cases: readonly (HeldCase & {
    /** With the officer's key: what the sealed notes say, one for each reason that was given. */
    readonly notes?: readonly Opened[];
  })[];
}

/** The legal holds in effect, as the log says. Reads only, and runs beside an export. */
export async function listHolds(
  session: Session,
  { case: number, key }: Pick<Flags, "case" | "key">,
  onFailure?: (failure: ClientFailure) => void,
): Promise<HoldList[]> {
  const opener = key === undefined ? undefined : await openKeyFile(key);
  return eachClient(
    session,
    async (config) => {
      await using reading = await openReading(config, session);
      const all = reading.catalog.holds.cases();
      const tokens = number === undefined ? undefined : await openTokens(config, reading.description);
      // As `hold release` finds a case: as it is written here, else in plain characters.
      const wanted = [number ?? "", plainText(number ?? "")].map((words) => tokens?.case(words));
      const token = wanted.find((each) => all.some((held) => held.case === each));
      const cases = tokens === undefined ? all : all.filter((held) => held.case === token);
      const count = new Set(cases.flatMap(({ subjects }) => subjects)).size;
      if (opener === undefined) return { client: config.id, people: count, cases };
      const { vault, catalog } = reading;
      const own = tokens ?? (await openTokens(config, reading.description));
      const open = async (held: HeldCase): Promise<Opened[]> => {
        const notes = catalog.holds
          .commitments(held.case)
          .map((commitment) =>
            openNotes({ vault, opener }, catalog.notes.committed(commitment), (said) =>
              said.about === "hold" && own.case(said.case) === held.case
                ? own.commitment(said.case, said.reason)
                : undefined,
            ),
          );
        return (await Promise.all(notes)).filter((each) => each !== undefined);
      };
      const told = await Promise.all(cases.map(async (held) => ({ ...held, notes: await open(held) })));
      return { client: config.id, people: count, cases: told };
    },
    onFailure,
  );
}

function holdsText({ client, cases, people: count }: HoldList, { case: number, key, all }: Flags): string[] {
  if (number !== undefined) {
    const [held] = cases;
    if (held === undefined) return [`${client}: no hold of that case is in effect${oddly(number)}`];
    const title = `${client}: that case holds ${people(count)} since ${minute(held.placed)} UTC`;
    const reasons = held.notes?.map(
      (note) => `  ${"problem" in note ? note.problem : `reason: ${quoted(note.reason)}`}`,
    );
    const [first = "", ...rest] = tableText(
      title,
      ["person (token)"],
      held.subjects.map((subject) => [subject]),
      { all },
    );
    return [first, ...(reasons ?? []), ...rest];
  }
  if (cases.length === 0) return [`${client}: no legal hold is in effect`];
  return tableText(
    `${client}: ${plural(cases.length, "case")} with a legal hold in effect, on ${people(count)}`,
    ["placed (UTC)", "people", ...(key === undefined ? ["case (token)"] : ["case", "reason"])],
    cases.map((held) => [
      minute(held.placed),
      String(held.subjects.length),
      ...(held.notes === undefined ? [held.case] : [caseText(held.notes), reasonText(held.notes)]),
    ]),
    { all },
  );
}

function caseText(notes: readonly Opened[]): string {
  return notes.map((note) => ("problem" in note ? "?" : quoted(note.case)))[0] ?? "no note";
}

function reasonText(notes: readonly Opened[]): string {
  return notes.map((note) => ("problem" in note ? note.problem : quoted(note.reason))).join("; ");
}
