import { Option } from "commander";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run, withSource } from "../src/cli/command.ts";
import { placeOf } from "../src/config/sources.ts";
import { HoldfastError } from "../src/core/error.ts";
import type { WorkAtOnce } from "../src/session/at-once.ts";
import type { Session } from "../src/session/client.ts";
import { runOnSchedule } from "../src/session/daemon.ts";
import { type ClientFailure, eachClient, throwFailure } from "../src/session/each-client.ts";
import { exportClient } from "../src/session/export-client.ts";
import { NamedExport } from "../src/session/export-named.ts";
import { type ExportOptions, refuseUnclear } from "../src/session/export-options.ts";
import { type ExportSummary, namedText, refuseUnfinished, summaryText } from "../src/session/export-summary.ts";
import { onHangup, type Take } from "../src/session/reload.ts";
import type { ScheduledWork } from "../src/session/schedule.ts";
import { planExport, refuseUnfinishedPlan } from "./export-plan.ts";

interface ExportFlags {
  readonly identity?: string[];
  readonly subject?: string[];
  readonly again?: boolean;
  readonly withheld?: boolean;
  readonly schedule?: boolean;
  readonly dryRun?: boolean;
}

export const exportCommand = withSource(
  command("export", "export new and changed identities of every client", [
    "holdfast export",
    "holdfast export --client acme-bank --identity 5f1c… --identity 77ab…",
    "holdfast export --subject 9c4f…     what verify found missing, if the provider still has it",
    "holdfast export --dry-run          show what it would fetch; writes nothing",
    "holdfast export --schedule          run as a daemon on the config's schedule; SIGHUP reloads the config",
  ]),
)
  .addOption(
    new Option(
      "--identity <id>",
      "only this identity, by the provider's id, or <source>:<id> if the client has several sources; repeatable",
    ).argParser((id: string, ids: string[] = []) => [...ids, id]),
  )
  .addOption(
    new Option(
      "--subject <token>",
      "store this subject again, by the token that verify shows; walks the source; repeatable",
    )
      .argParser((token: string, tokens: string[] = []) => [...tokens, token])
      .conflicts("identity"),
  )
  .addOption(
    new Option("--again", "with --identity: store it again even if nothing changed").conflicts(["subject", "withheld"]),
  )
  .addOption(
    new Option(
      "--withheld",
      "ask again for withheld files, and store again who gets one; exits with 3 while some are still withheld",
    ).conflicts(["identity", "subject"]),
  )
  .addOption(
    new Option("--schedule", "keep running, and export on the config's cron schedule").conflicts([
      "identity",
      "subject",
      "withheld",
    ]),
  )
  .addOption(
    new Option(
      "--dry-run",
      "only show what is new or changed, and about how many requests it takes; writes nothing to vault or log, takes no lease",
    ).conflicts("schedule"),
  )
  .action((options: CommonOptions & ExportFlags) =>
    run(options, async (session, config) => {
      if (options.schedule) {
        let interrupted = false;
        const scheduled: ScheduledWork = async (due, onFailure) => {
          const summaries = await exportClients(due, {}, onFailure);
          interrupted ||= summaries.some(({ outcome }) => outcome === "interrupted");
        };
        const named = new NamedExport();
        const atOnce: WorkAtOnce = async (of, due, onWanted) => {
          const summary = await named.run(of, due, onWanted);
          if (summary) session.console.say(namedText(summary, placeOf(of.client, summary.source)));
          interrupted ||= session.signal.aborted && summary?.outcome === "interrupted";
          return summary;
        };
        const reload = (take: Take) => onHangup(session, config.file, options, take);
        await runOnSchedule(session, config, { scheduled, atOnce }, reload);
        if (interrupted) throw new HoldfastError("interrupted", "interrupted; the next run continues from here");
        return;
      }
      const asked = { ...options, identities: options.identity, subjects: options.subject };
      if (options.dryRun) {
        await tellClients(session, "export", (onFailure) => planExport(session, asked, onFailure), {
          name: "plan",
          refuse: refuseUnfinishedPlan,
        });
        return;
      }
      await tellClients(session, "export", (onFailure) => exportClients(session, asked, onFailure), {
        refuse: (summaries) => refuseUnfinished(summaries, asked),
      });
    }),
  );

/** Exports every client's new and changed identities, source by source. One failure does not stop the others. */
export async function exportClients(
  session: Session,
  options: ExportOptions,
  onFailure?: (failure: ClientFailure) => void,
): Promise<ExportSummary[]> {
  refuseUnclear(session, options);
  const tell = onFailure ?? throwFailure;
  const done = await eachClient(
    session,
    async (config) => {
      const { runs, failures, lockFailure } = await exportClient(config, session, options);
      for (const summary of runs) session.console.say(summaryText(summary, options, placeOf(config, summary.source)));
      for (const failure of failures) tell(failure);
      if (lockFailure !== undefined) tell({ client: config.id, error: lockFailure });
      return runs;
    },
    tell,
  );
  return done.flat();
}
