import type { Config } from "../config/config.ts";
import { startMonitor } from "../observe/server.ts";
import { AtOnce, type WorkAtOnce } from "./at-once.ts";
import type { Session } from "./client.ts";
import { receive } from "./receiving.ts";
import type { Take } from "./reload.ts";
import { type ScheduledWork, Schedules } from "./schedule.ts";
import { Standings } from "./standing.ts";
import { VERSION } from "./version.ts";

export interface DaemonWork {
  readonly scheduled: ScheduledWork;
  readonly atOnce: WorkAtOnce;
}

/**
 * Exports on the clients' cron schedules until the signal, receives webhooks, exports at once whom they name where the
 * config says so, and serves metrics and health checks. A failed run does not end the daemon: it is retried in the same
 * night if that may help (`pauseAfter`), otherwise on the next schedule. Resolves when the active runs have finished.
 * @param reload replaces the clients from then on
 */
export async function runOnSchedule(
  session: Session,
  { metrics: { listen }, inbox }: Pick<Config, "metrics" | "inbox">,
  work: DaemonWork,
  reload: (take: Take) => Disposable,
): Promise<void> {
  const { signal, console } = session;
  const metrics = listen && new (await import("../observe/metrics.ts")).Metrics(VERSION);
  const standings = metrics && new Standings(metrics, () => schedules.clients, session.now);
  const counted: ScheduledWork = async (...run) => {
    try {
      return await work.scheduled(...run);
    } finally {
      void standings?.count();
    }
  };
  const measured = { ...session, metrics, pushgateway: undefined };
  const schedules = new Schedules(measured, counted);
  const atOnce = new AtOnce(measured, schedules, work.atOnce);
  if (metrics && standings) metrics.refresh = () => standings.show();
  await using monitor = metrics && (await startMonitor({ ...listen, metrics, ready: () => schedules.ready }));
  if (monitor) console.say(`metrics at http://${listen!.host}:${monitor.port}/metrics`);
  await using receiving = inbox.listen && (await receive({ ...session, metrics }, inbox.listen));
  const take: Take = (clients, { export: when }) => {
    schedules.replace(clients);
    receiving?.replace(clients);
    atOnce.replace(when === "at-once" ? clients : []);
  };
  // Before anything shows that the daemon is up: a SIGHUP without a listener ends the process.
  using _reloading = reload(take);
  schedules.replace(session.clients);
  atOnce.replace(inbox.export === "at-once" ? session.clients : []);
  void standings?.count();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.all([schedules.stop(), atOnce.stop()]);
}
