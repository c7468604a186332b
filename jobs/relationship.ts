import { Command } from "commander";
import { day } from "../src/cli/arguments.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import { type NamedFlags, wanted, withNames } from "../src/cli/named.ts";
import { HoldfastError } from "../src/core/error.ts";
import type { HeldVault } from "../src/held/held-vault.ts";
import { firstFew } from "../src/observe/first-few.ts";
import { number, people, plural } from "../src/observe/format.ts";
import { endingsOf, type UnusableRow } from "../src/people/endings-file.ts";
import { findPeople, namesSomebody, onlyClient, subjectOf, type Wanted } from "../src/people/people.ts";
import { notePolicy } from "../src/retention/policy.ts";
import {
  type Ending,
  endRelationships,
  type RelationshipsEnded,
  reopenRelationships,
} from "../src/retention/relationship.ts";
import type { Session } from "../src/session/client.ts";
import { openLog } from "../src/session/open-log.ts";
import { beginWork, locksText, refuseDue } from "../src/session/retention-work.ts";

interface EndFlags {
  readonly date?: string;
  readonly csv?: string;
  readonly beforeVerification: boolean;
}

export const relationshipCommand = new Command("relationship")
  .description("when business relationships end: what starts the clock of most laws")
  .addCommand(
    withNames(
      command("end", "tell that a relationship has ended, or an account was closed, and lock to the final date", [
        "holdfast relationship end --reference C-10442 --date 2026-10-31",
        "holdfast relationship end --csv closed-accounts.csv",
        "holdfast relationship end --identity 5f1c… --date 2026-10-31",
      ]),
    )
      .option("--date <day>", "its last day, such as 2026-10-31", day)
      .option(
        "--csv <file>",
        "a table whose first line names its columns: reference,date (or identity, email, subject)",
      )
      .option(
        "--before-verification",
        "take days before a person was first verified; they are refused otherwise",
        false,
      )
      .addHelpText(
        "after",
        `
A lock that was set to a date cannot be shortened; in compliance mode by no one. A line of the table that names no one in
the vault, or a day before that person was first verified, is told and left out, and the command ends with code 3.`,
      )
      .action((options: CommonOptions & NamedFlags & EndFlags) =>
        run(options, async (session) => {
          const { date, csv, beforeVerification } = options;
          const done = await endRelationship(session, { ...(await wanted(options)), date, csv, beforeVerification });
          session.console.result({ command: "relationship end", ...done });
          refuseDue([done.locks]);
          if (done.unusable.length === 0) return;
          throw new HoldfastError("partial", `left out: ${plural(done.unusable.length, "line")} of the table`, {
            hint: "Each of the first is named above, with the reason; --json lists all. Nothing is kept of people who were never exported. If a day before the verification is right, run it again with --before-verification.",
          });
        }),
      ),
  )
  .addCommand(
    withNames(
      command("reopen", "tell that it has not, or began again: the copies are kept on", [
        "holdfast relationship reopen --reference C-10442",
      ]),
    ).action((options: CommonOptions & NamedFlags) =>
      run(options, async (session) => {
        const done = await reopenRelationship(session, await wanted(options));
        session.console.result({ command: "relationship reopen", ...done });
      }),
    ),
  );

export interface EndOptions extends Wanted {
  /** The last day, `2026-11-24`, of everyone named. */
  readonly date?: string | undefined;
  /** Or a table of people and days. */
  readonly csv?: string | undefined;
  /** Days before someone was verified are meant. */
  readonly beforeVerification?: boolean | undefined;
}

export interface EndResult extends RelationshipsEnded {
  readonly client: string;
  /** Lines of the table that name no one, or more than one, or a day before the verification. */
  readonly unusable: readonly UnusableRow[];
}

/** Tells that relationships have ended: the clocks start, and everything is locked to the final date. */
export async function endRelationship(session: Session, options: EndOptions): Promise<EndResult> {
  const config = onlyClient(session, "the end of a relationship");
  await using held = await openLog(config, session, { job: "relationship" });
  const { endings, unusable } = await endingsOf(options, config, held);
  const done = await endHeld(held, session, endings, options);
  const { first, more } = firstFew(unusable, "--json lists all, as `unusable`");
  for (const { line, why } of first)
    session.console.log.error(`line ${line} was left out: ${why}`, { client: config.id });
  if (more) session.console.log.error(more, { client: config.id });
  session.console.say(endedText(config.id, done, unusable.length));
  await held.stamp();
  return { client: config.id, ...done, unusable };
}

async function endHeld(
  held: HeldVault,
  session: Session,
  endings: readonly Ending[],
  options: Pick<EndOptions, "beforeVerification">,
): Promise<RelationshipsEnded> {
  using work = beginWork(held, session, { what: "relationships", failure: "lock not extended" });
  await notePolicy(work);
  return await endRelationships(work, endings, options);
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
  const gone = named.filter(
    (subject) =>
      held.catalog.relationships.hasDeparted(subject) ||
      (!held.catalog.subjects.known(subject) && held.catalog.subjects.mentions(subject).length > 0),
  );
  const left = { ...options, subjects: named.filter((subject) => !gone.includes(subject)) };
  const subjects = [...gone, ...(namesSomebody(left) || gone.length === 0 ? findPeople(left, config, held) : [])];
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

function endedText(
  client: string,
  { subjects, unchanged, past, locks }: RelationshipsEnded,
  unusable: number,
): string[] {
  return [
    `${client}: ${plural(subjects, "relationship")} ended`,
    ...(unchanged > 0 ? [`  told before ${number(unchanged)}`] : []),
    ...(unusable > 0 ? [`  left out    ${plural(unusable, "line")} of the table, named above with the reason`] : []),
    `  locks       ${locksText(locks)}`,
    ...(past > 0 ? [`  past        ${people(past)} need not be kept any more: retention purge lists them`] : []),
  ];
}
