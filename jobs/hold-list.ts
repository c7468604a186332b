import type { HeldCase } from "../src/catalog/holds.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, run } from "../src/cli/command.ts";
import { type ListFlags, listCommand, tableText } from "../src/cli/listing.ts";
import { quoted } from "../src/core/printable.ts";
import { type Opened, openNotes, refuseFalse } from "../src/notes/open.ts";
import { minute, number, plural, verifications } from "../src/observe/format.ts";
import { oddSpelling } from "../src/people/people.ts";
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
  .option(
    "--key <file>",
    "age identity file of the officer: opens the sealed notes and shows case and reason, also of released holds",
  )
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
        lines: (all) => all.flatMap((each) => listText(each, options)),
        refuse: (all) =>
          refuseFalse(
            all.flatMap(({ cases, released = [] }) => [
              ...cases.flatMap(({ notes = [] }) => notes),
              ...released.map(({ note }) => note),
            ]),
          ),
      });
    }),
  );

export interface HoldList {
  readonly client: string;
  /** People under a hold, each counted once. */
  readonly people: number;
  readonly cases: readonly (HeldCase & {
    /** With the officer's key: the contents of the sealed notes, one for each reason given. */
    readonly notes?: readonly Opened[];
  })[];
  /** With the officer's key: holds that were released, the last one first. */
  readonly released?: readonly ReleasedHold[];
}

/** When a hold was released (RFC 3339 UTC), for how many people, and why. */
interface ReleasedHold {
  readonly time: string;
  readonly people: number;
  readonly note: Opened;
}

/** The legal holds in effect, as the log says. Reads only, and runs beside an export. */
export async function listHolds(
  session: Session,
  { case: wantedCase, key }: Pick<Flags, "case" | "key">,
  onFailure?: (failure: ClientFailure) => void,
): Promise<HoldList[]> {
  const opener = key === undefined ? undefined : await openKeyFile(key);
  return eachClient(
    session,
    async (config) => {
      await using reading = await openReading(config, session);
      const all = reading.catalog.holds.cases();
      const tokens = wantedCase === undefined ? undefined : await openTokens(config, reading.description);
      // As `hold release` finds a case: as it is written here, else in plain characters.
      const wanted = [wantedCase ?? "", plainText(wantedCase ?? "")].map((words) => tokens?.case(words));
      const token = wanted.find((each) => all.some((held) => held.case === each));
      const cases = tokens === undefined ? all : all.filter((held) => held.case === token);
      const count = new Set(cases.flatMap(({ subjects }) => subjects)).size;
      if (opener === undefined) return { client: config.id, people: count, cases };
      const { vault, catalog } = reading;
      const own = tokens ?? (await openTokens(config, reading.description));
      const open = (commitment: string, of?: string): Promise<Opened | undefined> =>
        openNotes({ vault, opener }, catalog.notes.committed(commitment), (said) =>
          said.about === "hold" && (of === undefined || own.case(said.case) === of)
            ? own.commitment(said.case, said.reason)
            : undefined,
        );
      const told: HoldList["cases"][number][] = [];
      for (const held of cases) {
        const notes: Opened[] = [];
        for (const commitment of catalog.holds.commitments(held.case)) {
          const note = await open(commitment, held.case);
          if (note !== undefined) notes.push(note);
        }
        told.push({ ...held, notes });
      }
      const released: ReleasedHold[] = [];
      for (const { commitment, ...each } of catalog.notes.released()) {
        const note = await open(commitment);
        if (note === undefined) continue;
        // With --case, leaves out only notes that are certainly about another case.
        const isOther = !("problem" in note) && !wanted.includes(own.case(note.case));
        if (wantedCase === undefined || !isOther) released.push({ ...each, note });
      }
      return { client: config.id, people: count, cases: told, released };
    },
    onFailure,
  );
}

function listText(list: HoldList, flags: Flags): string[] {
  const { client, released = [] } = list;
  if (released.length === 0) return holdsText(list, flags);
  const table = tableText(
    `${client}: ${plural(released.length, "hold")} released`,
    ["released (UTC)", "verifications", "case", "reason"],
    released.map(({ time, people: count, note }) => [
      minute(time),
      number(count),
      caseText([note]),
      reasonText([note]),
    ]),
    flags,
  );
  return [...holdsText(list, flags), ...table];
}

function holdsText({ client, cases, people: count }: HoldList, { case: wantedCase, key, all }: Flags): string[] {
  if (wantedCase !== undefined) {
    const [held] = cases;
    if (held === undefined) return [`${client}: no hold of that case is in effect${oddSpelling(wantedCase)}`];
    const title = `${client}: that case holds ${verifications(count)} since ${minute(held.placed)} UTC`;
    const reasons = held.notes?.map(
      (note) => `  ${"problem" in note ? note.problem : `reason: ${quoted(note.reason)}`}`,
    );
    const [first = "", ...rest] = tableText(
      title,
      ["verification (token)"],
      held.subjects.map((subject) => [subject]),
      { all },
    );
    return [first, ...(reasons ?? []), ...rest];
  }
  if (cases.length === 0) return [`${client}: no legal hold is in effect`];
  return tableText(
    `${client}: ${plural(cases.length, "case")} with a legal hold in effect, on ${verifications(count)}`,
    ["placed (UTC)", "verifications", ...(key === undefined ? ["case (token)"] : ["case", "reason"])],
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
