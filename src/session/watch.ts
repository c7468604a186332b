import type { ClientConfig } from "../config/config.ts";
import { askedSources } from "../config/sources.ts";
import { parseSecretUrl } from "../config/url.ts";
import { HoldfastError, hasCode, isTransient } from "../core/error.ts";
import { gravest } from "../core/exit-code.ts";
import type { Exporting } from "../export/context.ts";
import type { RunObserver } from "../export/run-options.ts";
import type { Summary } from "../export/summary.ts";
import { errorFields } from "../observe/log.ts";
import { type Event, notify, parseWebhookKey, type Targets } from "../observe/notify.ts";
import type { Extended } from "../retention/extend.ts";
import type { LastRun } from "../state/last-export.ts";
import type { Session } from "./client.ts";
import type { ClientFailure } from "./each-client.ts";
import type { ExportSummary } from "./export-summary.ts";
import { LOCKS, lastRun, noteRuns, partNames, scheduleOf } from "./last-runs.ts";
import { nextDue } from "./next-run.ts";
import { Standings, unixSeconds } from "./standing.ts";
import { VERSION } from "./version.ts";

/** The result of a run over all identities: a summary of each source that was asked, or a failure. */
export interface Ended {
  readonly runs: readonly ExportSummary[];
  readonly failures: readonly ClientFailure[];
  readonly locks?: Extended | undefined;
  /** Why the locks could not be extended. The export itself continued. */
  readonly lockFailure?: unknown;
}

/**
 * Runs an export over all identities, sends notifications when it starts and ends, updates the metrics, and remembers a
 * success. None of that can fail the run. A failure that is retried is not notified.
 * @param work calls back when the run has really started: a run that did not is still due
 */
export async function withNotifications<T extends Ended>(
  config: ClientConfig,
  session: Session,
  job: string,
  work: (onBegun: () => void) => Promise<T>,
) {
  const { console, metrics, now } = session;
  const log = console.log.with({ client: config.id, job });
  const measured = metrics?.client(config.id);
  const targets = await targetsOf(config, log.warn);
  const tell = (type: Event["type"], data: Partial<Event["data"]> = {}): Promise<void> =>
    notify({ type, timestamp: now().toString(), data: { client: config.id, job, ...data } }, targets, {
      log,
      signal: session.signal,
    });
  const begun = performance.now();
  measured?.running(true);
  const started = tell("run.started");
  let hasBegun = false;
  const ended = async (outcome: Summary["outcome"], data: Partial<Event["data"]>): Promise<void> => {
    const durationMs = Math.round(performance.now() - begun);
    measured?.running(false);
    measured?.ended(outcome, durationMs / 1000);
    // Keep the order of events.
    await started;
    const type = outcome === "done" ? "finished" : outcome === "interrupted" ? outcome : "failed";
    await tell(`run.${type}`, { outcome, durationMs, ...data });
  };
  const endedWith = async (error: unknown): Promise<void> => {
    if (session.againIn?.(config, error) !== undefined) {
      measured?.running(false);
      await started;
      return;
    }
    const { code = "internal" } = errorFields(error);
    await ended(code === "interrupted" ? "interrupted" : "failed", { code });
  };
  try {
    const result = await work(() => {
      hasBegun = true;
    });
    remember(config, result, session);
    if (result.failures.length > 0) await endedWith(gravest(result.failures.map(({ error }) => error)));
    else {
      const { outcome, run, counts } = totalOf(config, result);
      await ended(outcome, { run, counts });
    }
    return result;
  } catch (error) {
    if (hasBegun && session.againIn?.(config, error) === undefined && !isCutShort(error))
      noteEnds(config, { done: [], over: partNames(config) }, session);
    await endedWith(error);
    throw error;
  }
}

const isCutShort = (error: unknown): boolean => isTransient(error) || hasCode(error, "busy", "interrupted");

/** Worst last. */
const OUTCOMES = ["done", "partial", "failed", "interrupted"] as const;

/** The runs of all sources as one. */
function totalOf(config: ClientConfig, { runs, locks, lockFailure }: Ended) {
  const isUndone = (locks?.failed ?? 0) > 0 || lockFailure !== undefined;
  const isWhole = runs.length >= askedSources(config).length;
  const outcomes = [
    ...runs.map(({ outcome }) => outcome),
    isWhole ? "done" : "interrupted",
    isUndone ? "partial" : "done",
  ];
  const outcome = OUTCOMES.findLast((each) => outcomes.includes(each))!;
  const counts: Record<string, number> = {};
  for (const { client: _, source: __, run: ___, outcome: ____, seconds: _____, ...of } of runs) {
    for (const [name, count] of Object.entries(of))
      if (typeof count === "number") counts[name] = (counts[name] ?? 0) + count;
  }
  return { outcome, run: runs[0]?.run ?? "", counts };
}

/** Saves what the next process must know. A run that was cut short or could not start is still due. */
function remember(config: ClientConfig, { runs, failures, locks, lockFailure }: Ended, session: Session): void {
  const isUndone = (locks?.failed ?? 0) > 0 || lockFailure !== undefined;
  const [first] = askedSources(config);
  const named = runs.map(({ source, outcome }) => ({ name: source ?? LOCKS, outcome }));
  const done = named.filter(({ outcome }) => outcome === "done" && !isUndone).map(({ name }) => name);
  const over = named.filter(({ outcome }) => outcome !== "interrupted").map(({ name }) => name);
  const failed = failures.filter(({ error }) => !isCutShort(error)).map(({ source = first?.name ?? LOCKS }) => source);
  // Every run extends the locks.
  const locked = isUndone ? [] : [LOCKS];
  noteEnds(config, { done: [...done, ...locked], over: [...over, ...failed, LOCKS] }, session);
}

/** @param ends names of sources that are done, and of those that are over, however they ended */
function noteEnds(
  config: ClientConfig,
  { done, over }: { readonly done: readonly string[]; readonly over: readonly string[] },
  { now, console }: Session,
): void {
  try {
    const changes: Record<string, LastRun> = {};
    for (const name of partNames(config).filter((each) => over.includes(each))) {
      const { due } = lastRun(config, name);
      // A refused client must leave nothing behind.
      if (!done.includes(name) && due === undefined) continue;
      changes[name] = {
        ...(done.includes(name) ? { success: now().toString() } : {}),
        ...(due === undefined ? {} : { due: nextDue(scheduleOf(config, name), now()).toString() }),
      };
    }
    noteRuns(config, changes);
  } catch (error) {
    console.log.warn("cannot save how this run ended", { client: config.id, ...errorFields(error) });
  }
}

/** Shows an active run in the metrics; undefined without metrics. */
export function observerOf({ config: { id }, source }: Exporting, { metrics }: Session): RunObserver | undefined {
  if (!metrics) return undefined;
  const measured = metrics.client(id);
  const counted = measured.counted();
  let newest = "";
  return {
    counted(tally) {
      counted(tally);
      measured.rate(source.limits.rate, source.limits.ceiling);
    },
    failed: measured.failed,
    listed(updated) {
      if (updated <= newest) return;
      newest = updated;
      measured.newest(unixSeconds(updated));
    },
  };
}

/** For a run without a metrics server: pushes its own metrics to the gateway at the end. */
export async function withPushedMetrics<T>(
  config: ClientConfig,
  session: Session,
  job: string,
  work: (session: Session) => Promise<T>,
) {
  const { pushgateway, console } = session;
  if (pushgateway === undefined || session.metrics) return work(session);
  const { Metrics } = await import("../observe/metrics.ts");
  const metrics = new Metrics(VERSION);
  const standings = new Standings(metrics, () => [config], session.now);
  metrics.refresh = () => standings.show();
  metrics.client(config.id);
  try {
    return await work({ ...session, metrics });
  } finally {
    await standings.count();
    await metrics.push(pushgateway, job, config.id).catch((cause: unknown) => {
      const error = new HoldfastError("notify-unavailable", "the Pushgateway did not accept the metrics", {
        cause,
        hint: "Check metrics.pushgateway and the network. The run is not affected.",
      });
      console.log.warn("metrics not pushed", { client: config.id, job, ...errorFields(error) });
    });
  }
}

async function targetsOf(
  { notify: { healthchecks, webhook } }: ClientConfig,
  warn: Session["console"]["log"]["warn"],
): Promise<Targets> {
  try {
    return {
      healthchecks: healthchecks && parseSecretUrl((await healthchecks.resolve()).reveal()),
      webhook: webhook && {
        url: parseSecretUrl((await webhook.url.resolve()).reveal()),
        key: parseWebhookKey((await webhook.key.resolve()).reveal()),
      },
    };
  } catch (error) {
    warn("cannot send notifications about this run", errorFields(error));
    return {};
  }
}
