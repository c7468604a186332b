import { Command } from "commander";
import { certify } from "../../jobs/certificate.ts";
import { listPurges, purge, refuseLeft } from "../../jobs/purge.ts";
import { extendAll, refuseDue } from "../../jobs/retention.ts";
import { HoldfastError } from "../core/error.ts";
import { day } from "./arguments.ts";
import { tellClients } from "./clients.ts";
import { type CommonOptions, command, run } from "./command.ts";

const extend = command(
  "extend",
  "extend the locks that end soon of what must be kept; the nightly export does it too",
  ["holdfast retention extend", "holdfast retention extend --client acme-bank --json"],
).action((options: CommonOptions) =>
  run(options, async (session) => {
    await tellClients(session, "retention extend", (onFailure) => extendAll(session, onFailure), {
      refuse: refuseDue,
    });
  }),
);

const purging = command("purge", "list what need not be kept any more, and why; with --confirm remove it for ever", [
  "holdfast retention purge            changes nothing",
  "holdfast retention purge --json | jq '.clients[].purge[] | select(.kept == null)'",
  "holdfast retention purge --client acme-bank --confirm --out ./destroyed-2026-11",
])
  .option("--confirm", "remove it", false)
  .option("--today <date>", "with --confirm: the day (UTC), asked for where only this machine's clock says it", day)
  .option("--out <folder>", "with --confirm: where the certificate of destruction is written; must not be there yet")
  .addHelpText(
    "after",
    `
Whoever is under a legal hold stays, and what a store still locks. What was removed cannot be brought back; the log and
the certificate say what it was, by digest. It takes rights to delete versions, which the exporter should not have.`,
  )
  .action((options: CommonOptions & { readonly confirm: boolean; readonly out?: string; readonly today?: string }) =>
    run(options, async (session) => {
      const { confirm, out, today } = options;
      if (confirm !== (out !== undefined)) {
        throw new HoldfastError("usage", "--confirm and --out go together", {
          mend: "Without both nothing is removed: it is listed. With both it is, and the certificate is written.",
        });
      }
      if (out === undefined) {
        await tellClients(session, "retention purge", (onFailure) => listPurges(session, onFailure));
        return;
      }
      const done = await purge(session, out, today);
      session.console.result({ command: "retention purge", ...done });
      refuseLeft(done);
    }),
  );

const certificate = command("certificate", "certify again what an earlier purge destroyed", [
  "holdfast retention certificate --run 20311124T100834Z-cd9ffe --out ./destroyed-2031-11",
])
  .requiredOption(
    "--run <id>",
    "the purge, as its output and the log name it; repeatable, for one that was stopped and the one that went on with it",
    (run: string, runs: string[] = []) => [...runs, run],
  )
  .requiredOption("--out <folder>", "where it is written; must not be there yet")
  .action((options: CommonOptions & { readonly run: string[]; readonly out: string }) =>
    run(options, async (session) => {
      session.console.result({
        command: "retention certificate",
        ...(await certify(session, options.run, options.out)),
      });
    }),
  );

export const retentionCommand = new Command("retention")
  .description("how long copies are kept")
  .addCommand(extend)
  .addCommand(purging)
  .addCommand(certificate);
