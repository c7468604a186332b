import { HoldfastError } from "../src/core/error.ts";
import { number, people, plural } from "../src/observe/format.ts";
import { findPeople, namesSomebody, oddly, onlyClient, type Wanted } from "../src/people/people.ts";
import { plainText } from "../src/record/spellings.ts";
import { type HoldsChanged, placeHolds, releaseHolds } from "../src/retention/hold.ts";
import type { Session } from "../src/session/client.ts";
import { withLog } from "../src/session/open-log.ts";
import { withWork } from "./retention.ts";

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

/** Places a legal hold on everything that the vault has of these people: nothing of it is purged while it stands. */
export async function placeHold(session: Session, options: HoldOptions): Promise<HoldResult> {
  return change(session, options, true);
}

/** Releases what a case held: these people, or all that it holds. Another case's hold stands. */
export async function releaseHold(session: Session, options: HoldOptions): Promise<HoldResult> {
  return change(session, options, false);
}

async function change(session: Session, options: HoldOptions, place: boolean): Promise<HoldResult> {
  const config = onlyClient(session, "a hold");
  for (const words of [options.case, options.reason]) {
    if (words.trim() !== "" && words.length <= MAX_WORDS) continue;
    throw new HoldfastError("usage", `--case and --reason take 1 to ${number(MAX_WORDS)} characters`, {
      mend: "They are kept nowhere; the log has a token and a commitment. Keep them where the case is kept.",
    });
  }
  return withLog(config, session, { job: "hold" }, async (held) => {
    const { tokens, catalog } = held;
    const stands = (words: string): boolean => catalog.life.heldSubjects(tokens.case(words)).length > 0;
    // Where the number was pasted with characters that cannot be seen, it is still the case that has holds.
    const written = [options.case, plainText(options.case)].find(stands) ?? options.case;
    const token = tokens.case(written);
    const commitment = tokens.commitment(written, options.reason);
    const subjects =
      place || namesSomebody(options) ? findPeople(options, config, held) : catalog.life.heldSubjects(token);
    if (subjects.length === 0) {
      throw new HoldfastError("usage", `no hold of that case stands${oddly(options.case)}`, {
        mend: "Check how its number is written: it is found as it was written then, or in plain characters.",
      });
    }
    const changed = await withWork(config, session, held, { what: "holds", failure: "hold not changed" }, (work) =>
      (place ? placeHolds : releaseHolds)(work, subjects, { token, commitment }),
    );
    session.console.say(holdText(config.id, changed, place));
    return { client: config.id, case: token, commitment, ...changed };
  });
}

function holdText(client: string, { subjects, objects, unchanged }: HoldsChanged, place: boolean): string {
  const already = unchanged > 0 ? `; ${people(unchanged)} ${place ? "under it already" : "not under it"}` : "";
  return place
    ? `${client}: legal hold on ${people(subjects)}, ${plural(objects, "object")} held in the store${already}`
    : `${client}: legal hold released for ${people(subjects)}, ${plural(objects, "object")} free of it${already}`;
}
