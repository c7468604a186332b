import { Command } from "commander";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { type NamedFlags, namedPeople, withNames } from "../src/cli/named.ts";
import { HoldfastError } from "../src/core/error.ts";
import type { HeldVault } from "../src/held/held-vault.ts";
import type { NoteWords } from "../src/notes/note.ts";
import { NoteWriter } from "../src/notes/store.ts";
import { number, plural, verifications } from "../src/observe/format.ts";
import { tellWhom } from "../src/people/customer.ts";
import { findPeople, namesSomebody, oddSpelling, onlyClient, type Wanted } from "../src/people/people.ts";
import { plainText } from "../src/record/spellings.ts";
import { type Case, type HoldsChanged, placeHolds, releaseHolds } from "../src/retention/hold.ts";
import type { Session } from "../src/session/client.ts";
import { openLog } from "../src/session/open-log.ts";
import { beginWork } from "../src/session/retention-work.ts";
import { holdListCommand } from "./hold-list.ts";

type Flags = CommonOptions & NamedFlags & { readonly case: string; readonly reason: string };

function hold(name: "place" | "release", description: string, examples: readonly string[]): Command {
  const change: (session: Session, options: Parameters<typeof placeHold>[1]) => Promise<HoldResult> =
    name === "place" ? placeHold : releaseHold;
  return withNames(command(name, description, examples))
    .requiredOption("--case <number>", "the case number; release needs exactly the same characters")
    .requiredOption("--reason <text>", "the reason; it is sealed beside the log, which has a commitment to it")
    .action((options: Flags) =>
      run(options, async (session) => {
        const { case: number, reason } = options;
        const done = await change(session, { ...(await namedPeople(options)), case: number, reason });
        session.console.result({ command: `hold ${name}`, ...done });
      }),
    );
}

export const holdCommand = new Command("hold")
  .description("legal holds: keep records past their retention date until the hold is released")
  .addCommand(
    hold("place", "hold every version of a person's records, in the store and in the log", [
      "holdfast hold place --case 'AZ 17/26' --reason 'inquiry of the prosecutor' --reference C-10442",
      "holdfast hold place --case 'AZ 17/26' --reason '…' --list people.txt",
    ]),
  )
  .addCommand(
    hold("release", "release the hold of a case, for the named people or for everyone", [
      "holdfast hold release --case 'AZ 17/26' --reason 'inquiry closed'",
      "holdfast hold release --case 'AZ 17/26' --reason '…' --subject 9c4f…",
    ]),
  )
  .addCommand(holdListCommand);

export interface HoldOptions extends Wanted {
  readonly case: string;
  readonly reason: string;
}

export interface HoldResult extends HoldsChanged {
  readonly client: string;
  /** The case as the log has it, and the commitment to its reason. */
  readonly case: string;
  readonly commitment: string;
}

/** Characters of a case's number, and of a reason. */
const MAX_WORDS = 500;

/** Places a legal hold on everything that the vault has of these people: nothing of it is purged while that is in effect. */
export async function placeHold(session: Session, options: HoldOptions): Promise<HoldResult> {
  return change(session, options, true);
}

/** Releases what a case held: these people, or all that it holds. Another case's hold stays. */
export async function releaseHold(session: Session, options: HoldOptions): Promise<HoldResult> {
  return change(session, options, false);
}

async function change(session: Session, options: HoldOptions, place: boolean): Promise<HoldResult> {
  const config = onlyClient(session, "a hold");
  for (const words of [options.case, options.reason]) {
    if (words.trim() !== "" && words.length <= MAX_WORDS) continue;
    throw new HoldfastError("usage", `--case and --reason take 1 to ${number(MAX_WORDS)} characters`, {
      hint: "They are sealed beside the log. Keep them short: which case it is, and why.",
    });
  }
  await using held = await openLog(config, session, { job: "hold" });
  const { tokens, catalog } = held;
  const holds = (words: string): boolean => catalog.holds.subjects(tokens.case(words)).length > 0;
  // Where the number was pasted with characters that cannot be seen, it is still the case that has holds.
  const written = [options.case, plainText(options.case)].find(holds) ?? options.case;
  const token = tokens.case(written);
  const commitment = tokens.commitment(written, options.reason);
  const subjects =
    place || namesSomebody(options)
      ? findPeople(options, config, held, tellWhom(session, config, place ? "hold" : "release"))
      : catalog.holds.subjects(token);
  if (subjects.length === 0) {
    throw new HoldfastError("usage", `no hold of that case is in effect${oddSpelling(options.case)}`, {
      hint: "Check the spelling: use the number exactly as in `hold place`, or in plain characters.",
    });
  }
  const words = { about: "hold" as const, case: written, reason: options.reason };
  const changed = await changeHolds(held, session, subjects, { token, commitment, words }, place);
  // No error: a release that was stopped and is repeated ends here as well.
  if (!place && changed.subjects === 0) {
    session.console.log.warn("this case holds no one of the people named; nothing was released", {
      client: config.id,
      hint: "If they were not released before, check case and people: `holdfast hold list --case <number>`.",
    });
  }
  session.console.say(holdText(config.id, changed, place));
  await held.stamp();
  return { client: config.id, case: token, commitment, ...changed };
}

async function changeHolds(
  held: HeldVault,
  session: Session,
  subjects: readonly string[],
  { token, commitment, words }: Pick<Case, "token" | "commitment"> & { readonly words: NoteWords },
  place: boolean,
): Promise<HoldsChanged> {
  using work = beginWork(held, session, { what: "holds", failure: "hold not changed" });
  const notes = new NoteWriter(held, work.ledger);
  const note = (subject: string): Promise<void> => notes.store(subject, commitment, words);
  return await (place ? placeHolds : releaseHolds)(work, subjects, { token, commitment, note });
}

function holdText(client: string, { subjects, objects, unchanged }: HoldsChanged, place: boolean): string {
  const already = unchanged > 0 ? `; ${verifications(unchanged)} ${place ? "under it already" : "not under it"}` : "";
  return place
    ? `${client}: legal hold on ${verifications(subjects)}, ${plural(objects, "object")} held in the store${already}`
    : `${client}: legal hold released for ${verifications(subjects)}, ${plural(objects, "object")} free of it${already}`;
}
