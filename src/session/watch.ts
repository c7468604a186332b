import type { ClientConfig } from "../config/config.ts";
import { parseSecretUrl } from "../config/url.ts";
import { HoldfastError, hasCode, isTransient } from "../core/error.ts";
import type { Exporting } from "../export/context.ts";
import type { RunObserver } from "../export/run.ts";
import type { Summary } from "../export/summary.ts";
import { errorFields } from "../observe/log.ts";
import { type Event, notify, parseWebhookKey, type Targets } from "../observe/notify.ts";
import { noteExport, readLastExport } from "../state/last-export.ts";
import type { Session } from "./client.ts";
import { nextDue } from "./next-run.ts";
import { Standings, seconds } from "./standing.ts";
import { VERSION } from "./version.ts";

/** The result of a run over all identities. */
export interface Ended extends Summary {
  readonly locks?: { readonly failed: number };
  readonly lockFailure?: unknown;
}

/**
 * Runs an export over all identities, sends notifications when it starts and ends, updates the metrics, and remembers a
 * success. None of that can fail the run. A failure that is retried is not notified.
 * @param work calls back when the run has really started: a run that did not is still due
 */
export async function watched<T extends Ended>(
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
    if (hasBegun) remember(config, outcome, session);
    // Keep the order of events.
    await started;
    const type = outcome === "done" ? "finished" : outcome === "interrupted" ? outcome : "failed";
    await tell(`run.${type}`, { outcome, durationMs, ...data });
  };
  try {
    const summary = await work(() => {
      hasBegun = true;
    });
    const { client: _, run, outcome, seconds: __, locks, lockFailure, ...counts } = summary;
    const undone = outcome === "done" && ((locks?.failed ?? 0) > 0 || lockFailure !== undefined);
    await ended(undone ? "partial" : outcome, { run, counts: counts as Record<string, number> });
    return summary;
  } catch (error) {
    const { code = "internal" } = errorFields(error);
    if (session.againIn?.(config, error) !== undefined) {
      measured?.running(false);
      await started;
      throw error;
    }
    if (isTransient(error) || hasCode(error, "busy")) hasBegun = false;
    await ended(code === "interrupted" ? "interrupted" : "failed", { code });
    throw error;
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
      measured.newest(seconds(updated));
    },
  };
}

/** For a run without a metrics server: pushes its own metrics to the gateway at the end. */
export async function pushed<T>(
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

/** Saves what the next process must know. A run that was cut short or could not start is still due. */
function remember({ id, state, schedule }: ClientConfig, outcome: Summary["outcome"], { now, console }: Session): void {
  if (outcome === "interrupted") return;
  try {
    const { due } = readLastExport(state);
    // A refused client must leave nothing behind.
    if (outcome !== "done" && due === undefined) return;
    noteExport(state, {
      ...(outcome === "done" ? { success: now().toString() } : {}),
      ...(due === undefined ? {} : { due: nextDue(schedule, now()).toString() }),
    });
  } catch (error) {
    console.log.warn("cannot save how this run ended", { client: id, ...errorFields(error) });
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
