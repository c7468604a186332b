import { Command, Option } from "commander";
import { amount, duration } from "../src/cli/arguments.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/core/error.ts";
import { runId } from "../src/core/run-id.ts";
import type { Extended } from "../src/retention/extend.ts";
import type { Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { openLog } from "../src/session/open-log.ts";
import { extendHeld, locksText, refuseDue } from "../src/session/retention-work.ts";
import { certificateCommand } from "./certificate.ts";
import { confirmCompleted, manifestsFor, refuseLeft } from "./extend-bulk.ts";
import { type PlannedExtension, planExtensions } from "./extend-plan.ts";
import { purgeCommand } from "./purge.ts";
import { purgesCommand } from "./purges.ts";

const extend = command(
  "extend",
  "extend locks that end soon on records that must be kept; the nightly export does this too",
  [
    "holdfast retention extend",
    "holdfast retention extend --client acme-bank --json",
    "holdfast retention extend --plan --put-price 0.005   how many locks are due, and what they take",
    "holdfast retention extend --manifest ./extend-2027-01 --ahead P7D   manifests for S3 Batch Operations",
    "holdfast retention extend --manifest ./extend-2027-01 --completed s3://acme-jobs/holdfast/…/reports/job-…",
  ],
)
  .addOption(
    new Option(
      "--plan",
      "only say how many locks are due, and what extending them takes, from this machine's catalog; sends no request",
    ).conflicts(["manifest", "completed"]),
  )
  .option(
    "--manifest <folder>",
    "extend nothing; write the manifests for jobs of S3 Batch Operations (AWS) and their commands to this new folder",
  )
  .option(
    "--completed <report>",
    "with --manifest: log what jobs have done, by the manifest.json or folder of a completion report, here or s3://…; repeatable",
    (report: string, reports: string[] = []) => [...reports, report],
  )
  .addOption(
    new Option(
      "--ahead <duration>",
      "with --plan or --manifest: also the locks that become due within this time, such as P7D",
    )
      .argParser(duration)
      .conflicts("completed"),
  )
  .option(
    "--put-price <amount>",
    "with --plan: the price of a thousand S3 requests that write, in your currency",
    amount,
  )
  .option("--get-price <amount>", "with --plan: the price of a thousand other S3 requests", amount)
  .option("--job-price <amount>", "with --plan: the price of a job of S3 Batch Operations", amount)
  .option("--task-price <amount>", "with --plan: the price of a million objects in such jobs", amount)
  .action((options: CommonOptions & ExtendFlags) =>
    run(options, async (session) => {
      refuseMisused(options);
      const { plan, manifest, completed, ahead } = options;
      if (plan) {
        await tellClients(session, "retention extend", (onFailure) => planExtensions(session, options, onFailure), {
          name: "plan",
        });
      } else if (manifest !== undefined && completed !== undefined) {
        const confirmed = await confirmCompleted(session, manifest, completed);
        session.console.result({ command: "retention extend", ...confirmed });
        refuseLeft(confirmed);
      } else if (manifest !== undefined) {
        const written = await manifestsFor(session, manifest, ahead);
        session.console.result({ command: "retention extend", ...written });
      } else {
        await tellClients(session, "retention extend", (onFailure) => extendAll(session, onFailure), {
          refuse: refuseDue,
        });
      }
    }),
  );

interface ExtendFlags extends PlannedExtension {
  readonly plan?: boolean;
  readonly manifest?: string;
  readonly completed?: string[];
}

function refuseMisused({ plan, manifest, completed, ahead, ...prices }: ExtendFlags): void {
  const { putPrice, getPrice, jobPrice, taskPrice } = prices;
  const isPriced = [putPrice, getPrice, jobPrice, taskPrice].some((price) => price !== undefined);
  if (isPriced && !plan) throw new HoldfastError("usage", "prices need --plan", { hint: "Add --plan." });
  if (completed !== undefined && manifest === undefined) {
    throw new HoldfastError("usage", "--completed needs --manifest", {
      hint: "Add --manifest with the folder that the jobs' manifests came from.",
    });
  }
  if (ahead !== undefined && !plan && manifest === undefined) {
    throw new HoldfastError("usage", "--ahead needs --plan or --manifest", {
      hint: "To extend locks earlier each night, set retention.extendWhenLessThan.",
    });
  }
}

export const retentionCommand = new Command("retention")
  .description("how long copies are kept")
  .addCommand(extend)
  .addCommand(purgeCommand)
  .addCommand(purgesCommand)
  .addCommand(certificateCommand);

export interface ClientLocks extends Extended {
  readonly client: string;
}

/** Extends every client's locks that end soon. The nightly export does the same before it asks the provider anything. */
export async function extendAll(
  session: Session,
  onFailure?: (failure: ClientFailure) => void,
): Promise<ClientLocks[]> {
  const extendOne = async (config: ClientConfig): Promise<ClientLocks> => {
    await using held = await openLog(config, session, { job: "retention" });
    const locks = await extendHeld(held, session, runId(held.now()));
    // The first rules, if no lock was due.
    await held.writer.flush();
    await held.stamp();
    session.console.say(`${config.id}: ${locksText(locks)}`);
    return { client: config.id, ...locks };
  };
  return eachClient(session, extendOne, onFailure);
}
