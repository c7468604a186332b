import { Option } from "commander";
import { Outcomes } from "../src/backfill/outcomes.ts";
import { amount, instant, oneOf } from "../src/cli/arguments.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run, withSource } from "../src/cli/command.ts";
import type { ClientConfig } from "../src/config/config.ts";
import type { ActiveSourceConfig } from "../src/config/source-config.ts";
import { askedSources, placeOf } from "../src/config/sources.ts";
import { HoldfastError } from "../src/core/error.ts";
import type { Period } from "../src/export/plan.ts";
import { PROVIDERS } from "../src/provider/provider.ts";
import type { Session } from "../src/session/client.ts";
import type { ClientFailure } from "../src/session/each-client.ts";
import { type ExportSummary, refuseUnfinished, summaryText } from "../src/session/export-summary.ts";
import { withPushedMetrics } from "../src/session/watch.ts";
import { redisAddress } from "../src/workers/address.ts";
import { type IdListFlags, idListOf, refuseMalformed, refuseNotFound } from "./backfill-list.ts";
import { everySource, planBackfill } from "./backfill-plan.ts";
import { type BackfillOptions, backfillSource } from "./backfill-turns.ts";

/** The words of all providers. */
const STATUSES = [...new Set(Object.values(PROVIDERS).flatMap(({ statuses }): readonly string[] => statuses))];

interface BackfillFlags extends Period, IdListFlags {
  readonly status?: string[];
  readonly plan?: boolean;
  readonly workers?: string;
  readonly putPrice?: number;
}

export const backfillCommand = withSource(
  command("backfill", "export everything once; resumes after a stop, and yields to the nightly export", [
    "holdfast backfill --plan            estimate: identities, requests, time, S3 writes",
    "holdfast backfill --plan --put-price 0.005   also what S3 will charge, at this price per thousand writes",
    "holdfast backfill                   export what is missing; run it again to resume",
    "holdfast backfill --workers redis://queue:6379     plan and log here; `holdfast worker` processes do the work",
    "holdfast backfill --from 2023-01-01 --to 2024-01-01 --status approved",
    "holdfast backfill --ids ids.txt --report report.csv      only these ids of the provider, one on a line",
    "holdfast backfill --references customers.txt    by the client's own references; - reads standard input",
  ]),
)
  .option("--from <date>", "only identities that the provider created on this date or later", instant)
  .option("--to <date>", "only identities that the provider created before this date", instant)
  .addOption(
    new Option("--status <status>", "only identities with this status; repeatable")
      .choices(STATUSES)
      .argParser((status: string, statuses: string[] = []) => [...statuses, oneOf(STATUSES, status)]),
  )
  .addOption(new Option("--plan", "only estimate what it will take"))
  .option(
    "--workers <redis>",
    "let `holdfast worker` processes do the work, connected through redis://host:6379 (or env:NAME, file:path)",
  )
  .addOption(
    new Option(
      "--ids <file>",
      "only who is in this list of the provider's ids, one on a line; - reads standard input. For providers that cannot list everyone",
    ).conflicts(["from", "to", "status", "workers", "references"]),
  )
  .addOption(
    new Option(
      "--references <file>",
      "the same with the client's own references, where the provider can look them up (Sumsub: externalUserId)",
    ).conflicts(["from", "to", "status", "workers"]),
  )
  .option("--report <file>", "with --ids or --references: what came of each line, as CSV by line number, without ids")
  .option("--put-price <amount>", "with --plan: the price of a thousand S3 writes, in your currency", amount)
  .action((options: CommonOptions & BackfillFlags) =>
    run(options, async (session) => {
      const { from, to, status, plan, putPrice, workers } = options;
      if (from && to && Temporal.Instant.compare(from, to) >= 0) {
        throw new HoldfastError("usage", "--from is not before --to", { hint: "--to is the first date left out." });
      }
      if (putPrice !== undefined && !plan) {
        throw new HoldfastError("usage", "--put-price needs --plan", { hint: "Add --plan." });
      }
      refuseOtherWords(session, status ?? []);
      const list = await idListOf(session, options);
      const period = { from, to, statuses: status && new Set(status) };
      if (plan) {
        await tellClients(
          session,
          "backfill",
          (onFailure) => planBackfill(session, { ...period, list }, putPrice, onFailure),
          {
            name: "plan",
          },
        );
        return;
      }
      const redis = workers === undefined ? undefined : await redisAddress(workers, process.cwd());
      using outcomes = list && new Outcomes(list.digest, options.report);
      const asked = { ...period, redis, ...(list && outcomes ? { ids: { list, outcomes } } : {}) };
      await tellClients(session, "backfill", (onFailure) => backfillClients(session, asked, onFailure), {
        refuse: (summaries) => {
          if (outcomes) refuseMalformed(summaries, outcomes);
          refuseUnfinished(summaries);
          if (outcomes) refuseNotFound(summaries, outcomes, options.report);
        },
      });
    }),
  );

/** Exports everything that each client has at its source in a period. Resumes where an earlier backfill stopped. */
export async function backfillClients(
  session: Session,
  options: BackfillOptions,
  onFailure: (failure: ClientFailure) => void,
): Promise<ExportSummary[]> {
  const backfillOne = async (config: ClientConfig, source: ActiveSourceConfig): Promise<ExportSummary> => {
    const summary = await withPushedMetrics(config, session, "backfill", (own) =>
      backfillSource(config, source, own, options),
    );
    const told = { ...summary, source: source.name };
    session.console.say(summaryText(told, {}, placeOf(config, source.name)));
    return told;
  };
  return everySource(session, backfillOne, onFailure);
}

/** @throws HoldfastError "usage" for a status that no source of the command has */
function refuseOtherWords({ clients }: Session, statuses: readonly string[]): void {
  const kinds = new Set(clients.flatMap((client) => askedSources(client).map(({ kind }) => kind)));
  const words = new Map(
    [...kinds].map((kind) => [PROVIDERS[kind].name, PROVIDERS[kind].statuses as readonly string[]]),
  );
  if (words.size === 0) return;
  for (const status of statuses) {
    // Without words of its own, a source may have any.
    const strange = [...words].filter(([, of]) => of.length > 0 && !of.includes(status)).map(([name]) => name);
    if (strange.length === 0) continue;
    const lines = [...words].map(([name, of]) => `${name} has: ${of.join(", ")}.`);
    throw new HoldfastError("usage", `${strange.join(" and ")} has no status ${status}`, {
      hint: words.size > 1 ? [...lines, "Choose one source with --source."] : lines,
    });
  }
}
