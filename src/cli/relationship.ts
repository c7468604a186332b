import { Command } from "commander";
import { endRelationship, reopenRelationship } from "../../jobs/relationship.ts";
import { refuseDue } from "../../jobs/retention.ts";
import { HoldfastError } from "../core/error.ts";
import { day } from "./arguments.ts";
import { type CommonOptions, command, run } from "./command.ts";
import { type NamedFlags, wanted, withNames } from "./named.ts";

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
A lock that was set to a date cannot be shortened; in compliance mode by nobody. A line of the table that names nobody in
the vault, or a day before that person was first verified, is told and left out, and the command ends with code 3.`,
      )
      .action((options: CommonOptions & NamedFlags & EndFlags) =>
        run(options, async (session) => {
          const { date, csv, beforeVerification } = options;
          const done = await endRelationship(session, { ...(await wanted(options)), date, csv, beforeVerification });
          session.console.result({ command: "relationship end", ...done });
          refuseDue([done.locks]);
          if (done.unusable.length === 0) return;
          throw new HoldfastError("partial", `${done.unusable.length} lines of the table were left out`, {
            mend: "The log says which and why. Nothing is kept of people who were never exported. If a day before the verification is right, run it again with --before-verification.",
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
