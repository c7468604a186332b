import { setTimeout as delay } from "node:timers/promises";
import { Option } from "commander";
import { IdList } from "../src/backfill/id-list.ts";
import { Outcomes } from "../src/backfill/outcomes.ts";
import { pagesAfter } from "../src/backfill/pages.ts";
import { Position, type Reached } from "../src/backfill/position.ts";
import { survey } from "../src/backfill/survey.ts";
import { amount, instant, oneOf } from "../src/cli/arguments.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run, withSource } from "../src/cli/command.ts";
import type { ClientConfig } from "../src/config/config.ts";
import type { ActiveSourceConfig } from "../src/config/source-config.ts";
import { askedSources, placeOf } from "../src/config/sources.ts";
import { HoldfastError, hasCode, isTransient } from "../src/core/error.ts";
import type { Exporting } from "../src/export/context.ts";
import type { Crew } from "../src/export/crew.ts";
import type { Period, Selection } from "../src/export/plan.ts";
import { runExport } from "../src/export/run.ts";
import type { PartialWalk } from "../src/export/run-options.ts";
import { addSummaries, type Summary } from "../src/export/summary.ts";
import { number, plural } from "../src/observe/format.ts";
import { errorFields } from "../src/observe/log.ts";
import { PROVIDERS } from "../src/provider/provider.ts";
import { Box } from "../src/seal/secretbox.ts";
import { messagesOf, type Session } from "../src/session/client.ts";
import type { ClientFailure } from "../src/session/each-client.ts";
import { type ExportSummary, refuseUnfinished, summaryText } from "../src/session/export-summary.ts";
import { openExporting } from "../src/session/open-exporting.ts";
import { openLog } from "../src/session/open-log.ts";
import { VERSION } from "../src/session/version.ts";
import { observerOf, pushed } from "../src/session/watch.ts";
import { type RedisAddress, redisAddress } from "../src/workers/address.ts";
import { everySource, planBackfill, refuseImpossible } from "./backfill-plan.ts";

/** The words of all providers. */
const STATUSES = [...new Set(Object.values(PROVIDERS).flatMap(({ statuses }): readonly string[] => statuses))];

interface BackfillFlags extends Period {
  readonly status?: string[];
  readonly plan?: boolean;
  readonly workers?: string;
  readonly putPrice?: number;
  readonly ids?: string;
  readonly references?: string;
  readonly report?: string;
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
      const list = await listOf(session, options);
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

export interface BackfillOptions extends Period {
  /** The Redis of the workers. Default: this process does the work. */
  readonly redis?: RedisAddress | undefined;
  /** Only the people of this list. */
  readonly ids?: { readonly list: IdList; readonly outcomes: Outcomes } | undefined;
}

/** How often to check whether the vault is free, in ms. */
const LOOK = 5_000;

/** Exports everything that each client has at its source in a period. Resumes where an earlier backfill stopped. */
export async function backfillClients(
  session: Session,
  options: BackfillOptions,
  onFailure: (failure: ClientFailure) => void,
): Promise<ExportSummary[]> {
  const backfillOne = async (config: ClientConfig, source: ActiveSourceConfig): Promise<ExportSummary> => {
    const summary = await pushed(config, session, "backfill", (own) => backfillSource(config, source, own, options));
    const told = { ...summary, source: source.name };
    session.console.say(summaryText(told, {}, placeOf(config, source.name)));
    return told;
  };
  return everySource(session, backfillOne, onFailure);
}

/** The list of ids that the command line names, if it names one. */
async function listOf(session: Session, { ids, references, report }: BackfillFlags): Promise<IdList | undefined> {
  const path = ids ?? references;
  if (path === undefined) {
    if (report === undefined) return undefined;
    throw new HoldfastError("usage", "--report needs --ids or --references", { hint: "Add one of them." });
  }
  const asked = session.clients.flatMap((client) => askedSources(client));
  if (asked.length > 1)
    throw new HoldfastError("usage", "a list of ids is of one source, but the config asks several", {
      hint: `Add --source ${asked.map(({ name }) => name).join(" or --source ")}${session.clients.length > 1 ? ", and --client <id>" : ""}.`,
    });
  return IdList.open(path, ids === undefined ? "references" : "ids", process.stdin, session.signal);
}

/** Throws `partial` if nothing failed but lines that are no ids: no later run takes them. This sets the exit code. */
function refuseMalformed(summaries: readonly ExportSummary[], outcomes: Outcomes): void {
  const { malformed, malformedCount, notFound } = outcomes;
  const failed = summaries.reduce((sum, of) => sum + of.failed, 0);
  if (malformedCount === 0 || failed > malformedCount) return;
  if (summaries.some(({ outcome }) => outcome === "interrupted")) return;
  const more = malformedCount > malformed.length ? ", …" : "";
  const also = notFound.length > 0 ? `. Neither the provider nor the vault has lines ${notFound.join(", ")}` : "";
  throw new HoldfastError(
    "partial",
    `${plural(malformedCount, "line is no id", "lines are no ids")}: ${malformed.join(", ")}${more}${also}`,
    {
      hint: "Correct these lines and run again with the whole list: who is in the vault already is not stored again.",
    },
  );
}

/** Throws `partial` if the provider does not have everyone of the list. This sets the exit code. */
function refuseNotFound(summaries: readonly ExportSummary[], { notFound }: Outcomes, report?: string): void {
  const count = summaries.reduce((sum, of) => sum + of.notFound, 0);
  if (count === 0) return;
  const lines = `${notFound.length === 1 ? "line" : "lines"} ${notFound.join(", ")}${count > notFound.length ? ", …" : ""}`;
  throw new HoldfastError("partial", `neither the provider nor the vault has ${number(count)} of the list: ${lines}`, {
    hint:
      report === undefined
        ? "Check the ids, and that the key is of the project that they are from. --report <file> says it for each line."
        : `Check the ids, and that the key is of the project that they are from. ${report} has each line.`,
  });
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

/**
 * Runs in several turns if needed: it yields the vault to other jobs (the nightly export), and takes it again if it lost
 * it because this machine slept.
 */
async function backfillSource(
  config: ClientConfig,
  source: ActiveSourceConfig,
  session: Session,
  options: BackfillOptions,
): Promise<Summary> {
  const { console, signal } = session;
  let done: Summary | undefined;
  for (;;) {
    const wanted = new AbortController();
    const turn = { ...session, signal: AbortSignal.any([signal, wanted.signal]) };
    let held = done !== undefined;
    try {
      const onHeld = (): void => {
        held = true;
      };
      const summary = await takeTurn(config, source, turn, options, onHeld, () => wanted.abort());
      done = done ? addSummaries(done, summary) : summary;
      if (!wanted.signal.aborted || signal.aborted || summary.outcome !== "interrupted") return done;
      console.log.warn("another job needs the vault: this one waits, then continues", { client: config.id });
    } catch (error) {
      // If this run never held the vault, another job has it, and there is nothing to resume.
      if (!held || !hasCode(error, "busy")) throw error;
      console.log.info("waiting for the vault", { client: config.id, ...errorFields(error) });
    }
    await delay(LOOK, undefined, { signal }).catch((cause: unknown) => {
      throw new HoldfastError("interrupted", "interrupted while waiting for the vault", { cause });
    });
  }
}

async function takeTurn(
  config: ClientConfig,
  source: ActiveSourceConfig,
  session: Session,
  options: BackfillOptions,
  onHeld: () => void,
  onWanted: () => void,
): Promise<Summary> {
  await using held = await openLog(config, session, { job: "backfill", onWanted });
  await using exporting = await openExporting(held, source, session, { priority: "low" });
  onHeld();
  const summary = await runTurn(exporting, session, options);
  await held.stamp();
  return summary;
}

async function runTurn(
  exporting: Exporting,
  session: Session,
  { redis, ids, ...period }: BackfillOptions,
): Promise<Summary> {
  const { console } = session;
  const { config, sourceConfig, source, log } = exporting;
  const place = placeOf(config, sourceConfig.name);
  refuseImpossible(exporting, ids?.list);
  const box = new Box(await config.lookups.key.resolve(), "backfill position");
  const position = new Position(config.state, sourceConfig.name, period, box, ids?.list.digest);
  const atFirst = ids ? { cursor: null, examined: 0, total: ids.list.total } : undefined;
  const reached = position.load() ?? atFirst ?? (await count(exporting, session, period));
  const walk: PartialWalk & { before: number } = {
    before: reached.examined,
    total: reached.total ?? undefined,
    pages: pagesAfter(source, reached.cursor, () => {
      walk.before = 0;
      log.warn("the source no longer accepts the page cursor: starting from the beginning", { client: config.id });
    }),
    settled(cursor, examined) {
      if (cursor === null) position.clear();
      else position.save({ cursor, examined, total: reached.total });
    },
  };
  if (reached.cursor !== null)
    log.info("resuming where the last run stopped", { client: config.id, count: reached.examined });
  const selection: Selection = ids
    ? { kind: "ids", pages: ids.list.pages(source, reached.cursor, ids.outcomes) }
    : { kind: "period", ...period };
  const run = (crew?: Crew): Promise<Summary> =>
    runExport(exporting, {
      ...{ job: "backfill", version: VERSION, selection, walk, crew },
      progress: console.progress(`${place}: identities`, reached.examined),
      observer: observerOf(exporting, session),
      onSettled: (id, outcome) => ids?.outcomes.settled(id, outcome),
    });
  if (redis === undefined) return run();
  // Imported here: the Redis client takes longer to load than everything else.
  const { Coordinator } = await import("../src/workers/coordinator.ts");
  const { connectRedis } = await import("../src/workers/redis.ts");
  await using opened = new AsyncDisposableStack();
  const connection = await connectRedis(redis, (error) =>
    log.warn("lost the connection to Redis", { client: config.id, ...errorFields(error) }),
  );
  opened.defer(() => connection.disconnect());
  const coordinator = opened.use(await Coordinator.open(connection, exporting, await messagesOf(config)));
  const summary = await run(coordinator);
  if (summary.outcome !== "interrupted") await coordinator.end();
  return summary;
}

/** Walks the list first, a hundredth of the total work, so that the progress can show the time left. */
async function count(
  exporting: Exporting,
  { console, signal }: Session,
  period: Period,
): Promise<Omit<Reached, "cursor"> & { cursor: null }> {
  using progress = console.progress(`${placeOf(exporting.config, exporting.sourceConfig.name)}: listed`);
  const about = exporting.catalog.totals.counts().subjects;
  try {
    const { matching } = await survey(exporting, exporting.source.pages(), period, 0, (listed) => {
      signal.throwIfAborted();
      progress.update(listed, { about });
    });
    return { cursor: null, examined: 0, total: matching };
  } catch (error) {
    // This count is only for the progress bar; the walk itself reports problems with the source.
    if (!signal.aborted && !isTransient(error) && !hasCode(error, "source-rejected", "source-response")) throw error;
    return { cursor: null, examined: 0, total: null };
  }
}
