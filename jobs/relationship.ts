import { Command } from "commander";
import { day } from "../src/cli/arguments.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { type NamedFlags, namedPeople, withNames } from "../src/cli/named.ts";
import { HoldfastError } from "../src/core/error.ts";
import type { HeldVault } from "../src/held/held-vault.ts";
import { firstFew } from "../src/observe/first-few.ts";
import { number, plural, verifications } from "../src/observe/format.ts";
import { tellWhom } from "../src/people/customer.ts";
import { endingsOf, type UnusableRow } from "../src/people/endings-file.ts";
import { departedBy, findPeople, namesSomebody, onlyClient, subjectOf, type Wanted } from "../src/people/people.ts";
import { relationshipEnds } from "../src/retention/keep.ts";
import { notePolicy } from "../src/retention/policy.ts";
import { purgeOf } from "../src/retention/purge-plan.ts";
import {
  type Ahead,
  type Ending,
  endRelationships,
  type RelationshipsEnded,
  reopenRelationships,
} from "../src/retention/relationship.ts";
import type { Session } from "../src/session/client.ts";
import { openLog } from "../src/session/open-log.ts";
import { beginWork, locksText, refuseDue } from "../src/session/retention-work.ts";
import { relationshipListCommand } from "./relationship-list.ts";

interface EndFlags {
  readonly date?: string;
  readonly csv?: string;
  readonly beforeVerification: boolean;
}

export const relationshipCommand = new Command("relationship")
  .description("when business relationships end, which starts most retention periods")
  .addCommand(
    withNames(
      command(
        "end",
        "record that a relationship ended or an account was closed, and lock its records until the final date",
        [
          "holdfast relationship end --reference C-10442 --date 2026-10-31",
          "holdfast relationship end --csv closed-accounts.csv",
          "holdfast relationship end --identity 5f1c… --date 2026-10-31",
        ],
      ),
    )
      .option("--date <day>", "the last day, such as 2026-10-31", day)
      .option(
        "--csv <file>",
        "a table whose first line names its columns: reference,date (or identity, email, subject)",
      )
      .option(
        "--before-verification",
        "accept days before a person was first verified, which are otherwise refused",
        false,
      )
      .addHelpText(
        "after",
        `
A lock cannot be shortened; in compliance mode, no one can do it. The command skips and lists each line of the table
that matches no one in the vault, or has a day before that person was first verified, and then exits with code 3.`,
      )
      .action((options: CommonOptions & NamedFlags & EndFlags) =>
        run(options, async (session) => {
          const { date, csv, beforeVerification } = options;
          const done = await endRelationship(session, {
            ...(await namedPeople(options)),
            date,
            csv,
            beforeVerification,
          });
          session.console.result({ command: "relationship end", ...done });
          refuseDue([done.locks]);
          if (done.unusable.length === 0) return;
          throw leftOut(done.unusable);
        }),
      ),
  )
  .addCommand(
    withNames(
      command("reopen", "record that a relationship did not end, or started again, so that its copies are kept", [
        "holdfast relationship reopen --reference C-10442",
      ]),
    ).action((options: CommonOptions & NamedFlags) =>
      run(options, async (session) => {
        const done = await reopenRelationship(session, await namedPeople(options));
        session.console.result({ command: "relationship reopen", ...done });
      }),
    ),
  )
  .addCommand(relationshipListCommand);

/** The lines themselves were told one by one. The advice is only for what there was among them. */
function leftOut(unusable: readonly UnusableRow[]): HoldfastError {
  const has = (reason: UnusableRow["reason"]): boolean => unusable.some((row) => row.reason === reason);
  const advice = [
    ...(has("unknown") ? ["Nothing is kept of people who were never exported."] : []),
    ...(has("several") ? ["Name the person with --subject, or all who share the value with --all-matches."] : []),
    ...(has("shortened") ? ["Correct these cells and run the table again."] : []),
    ...(has("early")
      ? [
          "Check the days before a verification: copies would be destroyed too early. If they are right, run a table of these lines alone with --before-verification.",
        ]
      : []),
  ];
  const were = unusable.length === 1 ? "was" : "were";
  return new HoldfastError("partial", `${plural(unusable.length, "line")} of the table ${were} left out`, {
    hint: [...advice, "The first are named above; --json lists all."].join(" "),
  });
}

export interface EndOptions extends Wanted {
  /** The last day, `2026-11-24`, of everyone named. */
  readonly date?: string | undefined;
  /** Or a table of people and days. */
  readonly csv?: string | undefined;
  /** Days before someone was verified are meant. */
  readonly beforeVerification?: boolean | undefined;
}

export interface EndResult extends RelationshipsEnded {
  /** Of the people who are past their date, those whom a legal hold keeps, and those whom a lock keeps. */
  readonly stay: { readonly held: number; readonly locked: number };
  readonly client: string;
  /** Lines of the table that name no one, or more than one, or a day before the verification. */
  readonly unusable: readonly UnusableRow[];
}

/** Tells that relationships have ended: the clocks start, and everything is locked to the final date. */
export async function endRelationship(session: Session, options: EndOptions): Promise<EndResult> {
  const config = onlyClient(session, "the end of a relationship");
  await using held = await openLog(config, session, { job: "relationship" });
  const { endings, unusable } = await endingsOf(options, config, held, tellWhom(session, config, "end"));
  const done = await endHeld(held, session, endings, options);
  const { first, more } = firstFew(unusable, "--json lists all, as `unusable`");
  for (const { line, column, why } of first)
    session.console.log.error(`line ${line}, column ${column}, was left out: ${why}`, { client: config.id });
  if (more) session.console.log.error(more, { client: config.id });
  session.console.say(endedText(config.id, done, unusable.length));
  if (done.ahead !== null) session.console.log.warn(aheadText(done.ahead), { client: config.id });
  await held.stamp();
  return { client: config.id, ...done, unusable };
}

async function endHeld(
  held: HeldVault,
  session: Session,
  endings: readonly Ending[],
  options: Pick<EndOptions, "beforeVerification">,
): Promise<Omit<EndResult, "client" | "unusable">> {
  using work = beginWork(held, session, { what: "relationships", failure: "lock not extended" });
  await notePolicy(work);
  const done = await endRelationships(work, endings, options);
  const { retention } = held.config;
  const kept = endings.flatMap(({ subject, ended }) => {
    const end = relationshipEnds(retention, ended);
    if (!end || Temporal.Instant.compare(end, work.now()) > 0) return [];
    return purgeOf(held.catalog, retention, subject, work.now())?.kept?.by ?? [];
  });
  const count = (by: "hold" | "lock"): number => kept.filter((each) => each === by).length;
  return { ...done, stay: { held: count("hold"), locked: count("lock") } };
}

/** Tells that they have not, or began again. */
export async function reopenRelationship(
  session: Session,
  options: Wanted,
): Promise<{ client: string; reopened: readonly string[]; unchanged: number }> {
  const config = onlyClient(session, "a relationship");
  await using held = await openLog(config, session, { job: "relationship" });
  // Also someone of whom all was purged: the next export takes them again.
  const named = options.subjects.map(subjectOf);
  // And someone of whom that was told before: who is told again, after a crash, need not know how far it came.
  const told = named.filter(
    (subject) =>
      held.catalog.relationships.hasDeparted(subject) ||
      (!held.catalog.subjects.known(subject) && held.catalog.subjects.mentions(subject).length > 0),
  );
  const departed = (id: string): string[] => departedBy("identity", id, config, held);
  const gone = new Set([...told, ...options.identities.flatMap(departed)]);
  const left = {
    ...options,
    identities: options.identities.filter((id) => departed(id).length === 0),
    subjects: named.filter((subject) => !gone.has(subject)),
  };
  const subjects = [
    ...gone,
    ...(namesSomebody(left) || gone.size === 0
      ? findPeople(left, config, held, tellWhom(session, config, "reopen"))
      : []),
  ];
  const reopened = await reopenHeld(held, session, subjects);
  const unchanged = subjects.length - reopened.length;
  session.console.say(
    `${config.id}: ${plural(reopened.length, "relationship")} reopened${unchanged > 0 ? `; ${number(unchanged)} had not ended` : ""}`,
  );
  await held.stamp();
  return { client: config.id, reopened, unchanged };
}

async function reopenHeld(held: HeldVault, session: Session, subjects: readonly string[]): Promise<string[]> {
  using work = beginWork(held, session, { what: "relationships", failure: "not reopened" });
  return await reopenRelationships(work, subjects);
}

/** A day to come is hardly ever meant, and what it locked stays locked. */
function aheadText({ people: count, day, until }: Ahead): string {
  const who =
    count === 1
      ? `1 relationship ends in the future, on ${day}`
      : `${number(count)} relationships end in the future, the last on ${day}`;
  return until === null ? who : `${who}. What is kept is locked until ${until} now, and a lock cannot be shortened`;
}

function endedText(
  client: string,
  { subjects, unchanged, replaced, past, stay, locks }: Omit<EndResult, "client" | "unusable">,
  unusable: number,
): string[] {
  const [first] = replaced;
  const free = past - stay.held - stay.locked;
  return [
    `${client}: the end of ${plural(subjects, "relationship")} was recorded`,
    ...(unchanged > 0 ? [`  known       ${number(unchanged)}, recorded before`] : []),
    ...(first
      ? [
          `  replaced    ${plural(replaced.length, "date")}: ${first.before} → ${first.ended}${replaced.length > 1 ? ", and others; --json lists all" : ""}`,
        ]
      : []),
    ...(unusable > 0 ? [`  left out    ${plural(unusable, "line")} of the table, named above with the reason`] : []),
    `  locks       ${locksText(locks)}`,
    ...(free > 0 ? [`  past        ${verifications(free)} need not be kept any more: retention purge lists them`] : []),
    ...(stay.held > 0 ? [`  stay        ${verifications(stay.held)} past the date, under a legal hold`] : []),
    ...(stay.locked > 0
      ? [`  stay        ${verifications(stay.locked)} past the date, until a lock of the store ends`]
      : []),
  ];
}
