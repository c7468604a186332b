import { number, people, plural } from "../src/observe/format.ts";
import { endingsOf, type UnusableRow } from "../src/people/endings-file.ts";
import { findPeople, namesSomebody, onlyClient, subjectOf, type Wanted } from "../src/people/people.ts";
import { notePolicy } from "../src/retention/policy.ts";
import { endRelationships, type RelationshipsEnded, reopenRelationships } from "../src/retention/relationship.ts";
import type { Session } from "../src/session/client.ts";
import { withLog } from "../src/session/open-log.ts";
import { locksText, withWork } from "./retention.ts";

export interface EndOptions extends Wanted {
  /** The last day, `2026-11-24`, of everybody named. */
  readonly date?: string | undefined;
  /** Or a table of people and days. */
  readonly csv?: string | undefined;
  /** Days before somebody was verified are meant. */
  readonly beforeVerification?: boolean | undefined;
}

export interface EndResult extends RelationshipsEnded {
  readonly client: string;
  /** Lines of the table that name nobody, or more than one, or a day before the verification. */
  readonly unusable: readonly UnusableRow[];
}

/** Tells that relationships have ended: the clocks start, and everything is locked to the final date. */
export async function endRelationship(session: Session, options: EndOptions): Promise<EndResult> {
  const config = onlyClient(session, "the end of a relationship");
  return withLog(config, session, { job: "relationship" }, async (held) => {
    const { endings, unusable } = await endingsOf(options, config, held);
    const done = await withWork(
      config,
      session,
      held,
      { what: "relationships", failure: "lock not extended" },
      async (work) => {
        await notePolicy(work);
        return endRelationships(work, endings, options);
      },
    );
    for (const { line, why } of unusable)
      session.console.log.error(`line ${line} was left out: ${why}`, { client: config.id });
    session.console.say(endedText(config.id, done, unusable.length));
    return { client: config.id, ...done, unusable };
  });
}

/** Tells that they have not, or began again. */
export async function reopenRelationship(
  session: Session,
  options: Wanted,
): Promise<{ client: string; reopened: readonly string[]; unchanged: number }> {
  const config = onlyClient(session, "a relationship");
  return withLog(config, session, { job: "relationship" }, async (held) => {
    // Also somebody of whom all was purged: the next export takes them again.
    const named = options.subjects.map(subjectOf);
    // And somebody of whom that was told before: who is told again, after a crash, need not know how far it came.
    const gone = named.filter(
      (subject) =>
        held.catalog.life.hasDeparted(subject) ||
        (!held.catalog.known(subject) && held.catalog.mentions(subject).length > 0),
    );
    const left = { ...options, subjects: named.filter((subject) => !gone.includes(subject)) };
    const subjects = [...gone, ...(namesSomebody(left) || gone.length === 0 ? findPeople(left, config, held) : [])];
    const reopened = await withWork(config, session, held, { what: "relationships", failure: "not reopened" }, (work) =>
      reopenRelationships(work, subjects),
    );
    const unchanged = subjects.length - reopened.length;
    session.console.say(
      `${config.id}: ${plural(reopened.length, "relationship")} reopened${unchanged > 0 ? `; ${number(unchanged)} had not ended` : ""}`,
    );
    return { client: config.id, reopened, unchanged };
  });
}

function endedText(
  client: string,
  { subjects, unchanged, past, locks }: RelationshipsEnded,
  unusable: number,
): string[] {
  return [
    `${client}: ${plural(subjects, "relationship")} ended`,
    ...(unchanged > 0 ? [`  told before ${number(unchanged)}`] : []),
    ...(unusable > 0 ? [`  left out    ${plural(unusable, "line")} of the table; the log says which and why`] : []),
    `  locks       ${locksText(locks)}`,
    ...(past > 0 ? [`  past        ${people(past)} need not be kept any more: retention purge lists them`] : []),
  ];
}
