import { Option } from "commander";
import { exportClients, refuseUnfinished } from "../../jobs/export.ts";
import { HoldfastError } from "../core/error.ts";
import { onHangup, type Take } from "../session/reload.ts";
import { runOnSchedule, type Work } from "../session/schedule.ts";
import { tellClients } from "./clients.ts";
import { type CommonOptions, command, run } from "./command.ts";

interface ExportFlags {
  readonly identity?: string[];
  readonly subject?: string[];
  readonly again?: boolean;
  readonly withheld?: boolean;
  readonly schedule?: boolean;
}

export const exportCommand = command("export", "export new and changed identities of every client", [
  "holdfast export",
  "holdfast export --client acme-bank --identity 5f1c… --identity 77ab…",
  "holdfast export --subject 9c4f…     what verify found missing, while the provider has it",
  "holdfast export --schedule          run as a daemon on the config's cron line; SIGHUP reads the config anew",
])
  .addOption(
    new Option("--identity <id>", "only this identity, by the provider's id; repeatable").argParser(
      (id: string, ids: string[] = []) => [...ids, id],
    ),
  )
  .addOption(
    new Option("--subject <token>", "store this subject anew, as verify names it; walks the source; repeatable")
      .argParser((token: string, tokens: string[] = []) => [...tokens, token])
      .conflicts("identity"),
  )
  .addOption(
    new Option("--again", "with --identity: store it anew though nothing changed").conflicts(["subject", "withheld"]),
  )
  .addOption(
    new Option("--withheld", "store anew what the provider withheld files of: it may grant them now").conflicts([
      "identity",
      "subject",
    ]),
  )
  .addOption(
    new Option("--schedule", "stay, and export whenever the config's cron line says").conflicts([
      "identity",
      "subject",
      "withheld",
    ]),
  )
  .action((options: CommonOptions & ExportFlags) =>
    run(options, async (session, config) => {
      if (options.schedule) {
        let interrupted = false;
        const work: Work = async (due, onFailure) => {
          const summaries = await exportClients(due, {}, onFailure);
          interrupted ||= summaries.some(({ outcome }) => outcome === "interrupted");
        };
        const reload = (take: Take) => onHangup(session, config.file, options.client, take);
        await runOnSchedule(session, config.metrics, work, reload);
        if (interrupted) throw new HoldfastError("interrupted", "interrupted; the next run goes on from here");
        return;
      }
      const asked = { ...options, identities: options.identity, subjects: options.subject };
      await tellClients(session, "export", (onFailure) => exportClients(session, asked, onFailure), {
        refuse: refuseUnfinished,
      });
    }),
  );
