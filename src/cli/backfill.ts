import { Option } from "commander";
import { backfillClients, planBackfill } from "../../jobs/backfill.ts";
import { refuseUnfinished } from "../../jobs/export.ts";
import { HoldfastError } from "../core/error.ts";
import type { Period } from "../export/plan.ts";
import { STATUSES } from "../source/passbase/answers.ts";
import { redisAddress } from "../workers/address.ts";
import { amount, instant, oneOf } from "./arguments.ts";
import { tellClients } from "./clients.ts";
import { type CommonOptions, command, run } from "./command.ts";

interface BackfillFlags extends Period {
  readonly status?: string[];
  readonly plan?: boolean;
  readonly workers?: string;
  readonly putPrice?: number;
}

export const backfillCommand = command(
  "backfill",
  "export everything there is, once: resumable, and giving way to the nightly export",
  [
    "holdfast backfill --plan            what it will take: identities, requests, time, S3 writes",
    "holdfast backfill --plan --put-price 0.005   and what S3 will ask for a thousand writes at that price",
    "holdfast backfill                   as much as is missing; run it again and it goes on",
    "holdfast backfill --workers redis://queue:6379     plans and logs; `holdfast worker`s do the work",
    "holdfast backfill --from 2023-01-01 --to 2024-01-01 --status approved",
  ],
)
  .option("--from <date>", "only identities that the provider made on this date or later", instant)
  .option("--to <date>", "only identities that the provider made before this date", instant)
  .addOption(
    new Option("--status <status>", "only identities of this status; repeatable")
      .choices(STATUSES)
      .argParser((status: string, statuses: string[] = []) => [...statuses, oneOf(STATUSES, status)]),
  )
  .addOption(new Option("--plan", "only say what it will take"))
  .option(
    "--workers <redis>",
    "leave the work to `holdfast worker`s that meet at redis://host:6379 (or env:NAME, file:path)",
  )
  .option("--put-price <amount>", "with --plan: what a thousand S3 writes cost, in your currency", amount)
  .action((options: CommonOptions & BackfillFlags) =>
    run(options, async (session) => {
      const { from, to, status, plan, putPrice, workers } = options;
      if (from && to && Temporal.Instant.compare(from, to) >= 0) {
        throw new HoldfastError("usage", "--from is not before --to", { mend: "--to is the first date left out." });
      }
      if (putPrice !== undefined && !plan) {
        throw new HoldfastError("usage", "--put-price is for an estimate", { mend: "Add --plan." });
      }
      const period = { from, to, statuses: status && new Set(status) };
      if (plan) {
        await tellClients(session, "backfill", (onFailure) => planBackfill(session, period, putPrice, onFailure), {
          name: "plan",
        });
        return;
      }
      const redis = workers === undefined ? undefined : await redisAddress(workers, process.cwd());
      await tellClients(session, "backfill", (onFailure) => backfillClients(session, { ...period, redis }, onFailure), {
        refuse: refuseUnfinished,
      });
    }),
  );
