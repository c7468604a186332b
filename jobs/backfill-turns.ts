import { setTimeout as delay } from "node:timers/promises";
import type { IdList } from "../src/backfill/id-list.ts";
import type { Outcomes } from "../src/backfill/outcomes.ts";
import { pagesAfter } from "../src/backfill/pages.ts";
import { Position, type Reached } from "../src/backfill/position.ts";
import { survey } from "../src/backfill/survey.ts";
import type { ClientConfig } from "../src/config/config.ts";
import { type Rate, rateText } from "../src/config/rate.ts";
import type { ActiveSourceConfig } from "../src/config/source-config.ts";
import { placeOf } from "../src/config/sources.ts";
import { HoldfastError, hasCode, isTransient } from "../src/core/error.ts";
import type { Exporting } from "../src/export/context.ts";
import type { Crew } from "../src/export/crew.ts";
import type { Period, Selection } from "../src/export/plan.ts";
import { runExport } from "../src/export/run.ts";
import type { PartialWalk } from "../src/export/run-options.ts";
import { addSummaries, type Summary } from "../src/export/summary.ts";
import { plural, seconds } from "../src/observe/format.ts";
import { errorFields } from "../src/observe/log.ts";
import { Box } from "../src/seal/secretbox.ts";
import { messagesOf, type Session } from "../src/session/client.ts";
import { openExporting } from "../src/session/open-exporting.ts";
import { openLog } from "../src/session/open-log.ts";
import { VERSION } from "../src/session/version.ts";
import { observerOf } from "../src/session/watch.ts";
import type { Apart, Source } from "../src/source/source.ts";
import type { RedisAddress } from "../src/workers/address.ts";
import { refuseImpossible } from "./backfill-plan.ts";

export interface BackfillOptions extends Period {
  /** The Redis of the workers. Default: this process does the work. */
  readonly redis?: RedisAddress | undefined;
  /** Only the people of this list. */
  readonly ids?: { readonly list: IdList; readonly outcomes: Outcomes } | undefined;
}

/** How often to check whether the vault is free, in ms. */
const LOOK = 5_000;

/**
 * Runs in several turns if needed: it yields the vault to other jobs (the nightly export), and takes it again if it lost
 * it because this machine slept.
 */
export async function backfillSource(
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
  const left = (reached.total ?? 0) - reached.examined;
  const slow = slowerThanAll(source, sourceConfig);
  if (slow && left > 0)
    console.say(
      `${place}: ${slow.of} of ${plural(left, "person", "people")} take ${seconds((left * slow.rate.per) / slow.rate.count / 1000)}, at ${rateText(slow.rate)}; who has none takes less`,
    );
  if (reached.cursor !== null)
    log.info("resuming where the last run stopped", { client: config.id, count: reached.examined });
  const selection: Selection = ids
    ? { kind: "ids", pages: ids.list.pages(source, reached.cursor, ids.outcomes) }
    : { kind: "period", ...period };
  const run = (crew?: Crew): Promise<Summary> =>
    runExport(exporting, {
      job: "backfill",
      version: VERSION,
      selection,
      walk,
      crew,
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

/** What the provider limits apart, if one for each person takes longer than one request for each. */
function slowerThanAll({ apart = [] }: Source, { rate: all }: Pick<ActiveSourceConfig, "rate">): Apart | undefined {
  const each = ({ count, per }: Rate): number => per / count;
  return apart.filter(({ rate }) => each(rate) > each(all)).sort((one, other) => each(other.rate) - each(one.rate))[0];
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
