import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Option } from "commander";
import { type Estimate, estimate, estimateText } from "../src/backfill/estimate.ts";
import { pagesAfter } from "../src/backfill/pages.ts";
import { Position, type Reached } from "../src/backfill/position.ts";
import { survey } from "../src/backfill/survey.ts";
import { Catalog } from "../src/catalog/catalog.ts";
import { amount, instant, oneOf } from "../src/cli/arguments.ts";
import { tellClients } from "../src/cli/clients.ts";
import { type CommonOptions, command, run } from "../src/cli/command.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError, hasCode, isTransient } from "../src/core/error.ts";
import type { Exporting } from "../src/export/context.ts";
import type { Period } from "../src/export/plan.ts";
import { type Crew, runExport, type Walk } from "../src/export/run.ts";
import { addSummaries, type Summary } from "../src/export/summary.ts";
import { errorFields } from "../src/observe/log.ts";
import { Box } from "../src/seal/secretbox.ts";
import { messagesOf, openClientVault, openTokens, type Session } from "../src/session/client.ts";
import { type ClientFailure, eachClient } from "../src/session/each-client.ts";
import { refuseUnfinished, summaryText } from "../src/session/export-summary.ts";
import { openExporting } from "../src/session/open-exporting.ts";
import { openLog } from "../src/session/open-log.ts";
import { openSource } from "../src/session/open-source.ts";
import { VERSION } from "../src/session/version.ts";
import { observerOf, pushed } from "../src/session/watch.ts";
import { STATUSES } from "../src/source/passbase/answers.ts";
import { type RedisAddress, redisAddress } from "../src/workers/address.ts";

interface BackfillFlags extends Period {
  readonly status?: string[];
  readonly plan?: boolean;
  readonly workers?: string;
  readonly putPrice?: number;
}

export const backfillCommand = command(
  "backfill",
  "export everything there is, once: resumable, and yielding to the nightly export",
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
        throw new HoldfastError("usage", "--from is not before --to", { hint: "--to is the first date left out." });
      }
      if (putPrice !== undefined && !plan) {
        throw new HoldfastError("usage", "--put-price is for an estimate", { hint: "Add --plan." });
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

export interface BackfillOptions extends Period {
  /** Where workers meet that do the work. Default: this process does it. */
  readonly redis?: RedisAddress | undefined;
}

/** Identities that are asked for their files, for an estimate. */
const SAMPLE = 25;
/** How often to look whether the vault is free again, in ms. */
const LOOK = 5_000;

/** What a backfill of each client would take. Writes nothing, and needs no lease. */
async function planBackfill(
  session: Session,
  period: Period,
  price: number | undefined,
  onFailure?: (failure: ClientFailure) => void,
): Promise<Estimate[]> {
  const planOne = async (config: ClientConfig): Promise<Estimate> => {
    await using opened = new AsyncDisposableStack();
    const { description } = opened.use(await openClientVault(config, session));
    const tokens = await openTokens(config, description);
    const { source } = opened.use(await openSource(config, session, "low"));
    const catalog = Catalog.peek(join(config.state, "catalog.sqlite"), config.log.origin);
    opened.defer(() => catalog?.close());
    using progress = session.console.progress(`${config.id}: listed`);
    const known = {
      subjects: { known: (subject: string) => catalog?.subjects.known(subject) },
      walk: { noteMet: () => {} },
      relationships: {
        hasDeparted: (subject: string, listed?: string) => catalog?.relationships.hasDeparted(subject, listed) ?? false,
      },
    };
    const pages = source.pages();
    const parts = { config, now: session.now, source, tokens, catalog: known };
    const of = await untilStopped(session.signal, async () => {
      const about = catalog?.totals.counts().subjects ?? 0;
      const found = await survey(parts, pages, period, SAMPLE, (listed) => progress.update(listed, { about }));
      return estimate(found, { config, source, catalog, price });
    });
    progress.end();
    session.console.say(estimateText(of));
    return of;
  };
  return eachClient(session, planOne, onFailure);
}

/** The signal ends it at once, requests under way included: for what leaves nothing behind. */
async function untilStopped<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  return Promise.race([work(), stopped]).finally(() => signal.removeEventListener("abort", stop));
}

/** Everything each client has at its source, in a period. Goes on from where an earlier one was stopped. */
export async function backfillClients(
  session: Session,
  options: BackfillOptions,
  onFailure: (failure: ClientFailure) => void,
): Promise<Summary[]> {
  return eachClient(
    session,
    async (config) => {
      const summary = await pushed(config, session, "backfill", (own) => backfillClient(config, own, options));
      session.console.say(summaryText(summary));
      return summary;
    },
    onFailure,
  );
}

/**
 * In as many turns as it takes: whoever else wants the vault (the nightly export) is given way to, and a vault that
 * was lost because this machine slept is taken again.
 */
async function backfillClient(config: ClientConfig, session: Session, options: BackfillOptions): Promise<Summary> {
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
      const summary = await takeTurn(config, turn, options, onHeld, () => wanted.abort());
      done = done ? addSummaries(done, summary) : summary;
      if (!wanted.signal.aborted || signal.aborted || summary.outcome !== "interrupted") return done;
      console.log.warn("another job wants the vault: it goes first, then this goes on", { client: config.id });
    } catch (error) {
      // Not held yet, it is another's and this run has nothing to wait for.
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
  session: Session,
  options: BackfillOptions,
  onHeld: () => void,
  onWanted: () => void,
): Promise<Summary> {
  await using held = await openLog(config, session, { job: "backfill", onWanted });
  await using exporting = await openExporting(held, session, { priority: "low" });
  onHeld();
  const summary = await runTurn(exporting, session, options);
  await held.stamp();
  return summary;
}

async function runTurn(
  exporting: Exporting,
  session: Session,
  { redis, ...period }: BackfillOptions,
): Promise<Summary> {
  const { console } = session;
  const { config, log } = exporting;
  const position = new Position(config.state, period, new Box(await config.lookups.key.resolve(), "backfill position"));
  const reached = position.load() ?? (await count(exporting, session, period));
  const walk: Walk & { before: number } = {
    before: reached.examined,
    total: reached.total ?? undefined,
    pages: pagesAfter(exporting.source, reached.cursor, () => {
      walk.before = 0;
      log.warn("the source knows the page cursor no more: walking from the beginning", { client: config.id });
    }),
    settled(cursor, examined) {
      if (cursor === null) position.clear();
      else position.save({ cursor, examined, total: reached.total });
    },
  };
  if (reached.cursor !== null)
    log.info("going on from where it was stopped", { client: config.id, count: reached.examined });
  const run = (crew?: Crew): Promise<Summary> =>
    runExport(exporting, {
      job: "backfill",
      version: VERSION,
      selection: { kind: "period", ...period },
      walk,
      crew,
      progress: console.progress(`${config.id}: identities`, reached.examined),
      observer: observerOf(exporting, session),
    });
  if (redis === undefined) return run();
  // Only here: what talks to Redis takes longer to load than all else.
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

/** A walk of the list beforehand, a hundredth of the whole, so that there is a time left to show. */
async function count(
  exporting: Exporting,
  { console, signal }: Session,
  period: Period,
): Promise<Omit<Reached, "cursor"> & { cursor: null }> {
  using progress = console.progress(`${exporting.config.id}: listed`);
  const about = exporting.catalog.totals.counts().subjects;
  try {
    const { matching } = await survey(exporting, exporting.source.pages(), period, 0, (listed) => {
      signal.throwIfAborted();
      progress.update(listed, { about });
    });
    return { cursor: null, examined: 0, total: matching };
  } catch (error) {
    // It only spares people a guess; what is the matter with the source the walk itself will say.
    if (!signal.aborted && !isTransient(error) && !hasCode(error, "source-rejected", "source-response")) throw error;
    return { cursor: null, examined: 0, total: null };
  }
}
