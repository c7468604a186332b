import type { ClientConfig, MetricsConfig, ScheduleConfig } from "../config/config.ts";
import { hasCode } from "../core/error.ts";
import { errorFields } from "../observe/log.ts";
import { startMonitor } from "../observe/server.ts";
import { noteExport, readLastExport } from "../state/last-export.ts";
import type { Session } from "./client.ts";
import type { ClientFailure } from "./each-client.ts";
import { nextDue } from "./next-run.ts";
import type { Take } from "./reload.ts";
import { type Attempts, pauseAfter } from "./retry-run.ts";
import { Standings } from "./standing.ts";
import { VERSION } from "./version.ts";

/** Exports the clients of a session, and reports each failed client at once. */
export type Work = (session: Session, onFailure: (failure: ClientFailure) => void) => Promise<unknown>;

/**
 * Runs `work` on the clients' cron schedules until the signal, and serves metrics and health checks. A failed run does
 * not end the daemon: it is retried in the same night if that may help (`pauseAfter`), otherwise on the next schedule.
 * Resolves when the active runs have finished.
 * @param reload replaces the clients from then on
 */
export async function runOnSchedule(
  session: Session,
  { listen }: MetricsConfig,
  work: Work,
  reload: (take: Take) => Disposable,
): Promise<void> {
  const { signal, console } = session;
  const metrics = listen && new (await import("../observe/metrics.ts")).Metrics(VERSION);
  const standings = metrics && new Standings(metrics, () => schedules.clients, session.now);
  const counted: Work = async (...run) => {
    try {
      return await work(...run);
    } finally {
      void standings?.count();
    }
  };
  const schedules = new Schedules({ ...session, metrics, pushgateway: undefined }, counted);
  if (metrics && standings) metrics.refresh = () => standings.show();
  await using monitor = metrics && (await startMonitor({ ...listen, metrics, ready: () => schedules.ready }));
  if (monitor) console.say(`metrics at http://${listen!.host}:${monitor.port}/metrics`);
  // Before anything shows that the daemon is up: a SIGHUP without a listener ends the process.
  using _reloading = reload((clients) => schedules.replace(clients));
  schedules.replace(session.clients);
  void standings?.count();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await schedules.stop();
}

/** How often to check the clock, in ms: it may be adjusted, and the machine may sleep. */
const LOOK = 60_000;

/**
 * Decides who is exported when. Clients with the same schedule are exported one after the other, different schedules in
 * parallel, but no client twice at once: a run that is due while another is active is skipped, with a warning.
 */
export class Schedules {
  readonly #session: Session;
  readonly #work: Work;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #underWay = new Set<string>();
  /** Clients whose failed run waits to be retried. */
  readonly #waiting = new Map<string, NodeJS.Timeout>();
  readonly #runs = new Set<Promise<void>>();
  #clients: readonly ClientConfig[] = [];
  #stopped = false;

  constructor(session: Session, work: Work) {
    this.#session = session;
    this.#work = work;
  }

  get clients(): readonly ClientConfig[] {
    return this.#clients;
  }

  /** Whether due runs will start. */
  get ready(): boolean {
    return this.#clients.length > 0 && !this.#stopped && !this.#session.signal.aborted;
  }

  /**
   * Switches to these clients and their schedules. Active runs continue as they started. A client whose run was missed or
   * cut short (the machine was down), or waits for a retry, is exported at once.
   */
  replace(clients: readonly ClientConfig[]): void {
    const waited = new Set(this.#waiting.keys());
    this.#clear();
    this.#clients = clients;
    for (const group of Map.groupBy(clients, ({ schedule }) => JSON.stringify(schedule)).values()) {
      this.#begin(group, waited);
    }
  }

  /** Starts nothing more. Resolves when the active runs have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#clear();
    await Promise.all(this.#runs);
  }

  #begin(group: readonly ClientConfig[], waited: ReadonlySet<string>): void {
    const { schedule } = group[0]!;
    const now = this.#session.now();
    this.#wait(group, nextDue(schedule, now));
    // For active runs, the next due time is saved when they end.
    const idle = group.filter(({ id }) => !this.#underWay.has(id));
    const missed = idle.filter((client) => waited.has(client.id) || this.#isMissed(client, now));
    for (const client of idle) if (!missed.includes(client)) this.#noteDue(client);
    if (missed.length > 0) void this.#run(missed);
    this.#announce(schedule);
  }

  #isMissed({ id, state }: ClientConfig, now: Temporal.Instant): boolean {
    const { due } = readLastExport(state);
    if (due === undefined || Temporal.Instant.compare(due, now) > 0) return false;
    this.#session.console.log.info("a due run was missed or cut short: starting it now", { client: id, due });
    return true;
  }

  /** Starts the group's run when it is due, then waits for the next. */
  #wait(group: readonly ClientConfig[], due: Temporal.Instant): void {
    const { schedule } = group[0]!;
    const looked = this.#session.now().epochMilliseconds;
    this.#after(Math.min(Math.max(due.epochMilliseconds - looked, 0), LOOK), () => {
      const now = this.#session.now();
      const late = now.epochMilliseconds - due.epochMilliseconds;
      if (late >= LOOK) {
        this.#session.console.log.warn("a run was missed because the machine slept or was too busy: starting it now");
        void this.#run(group);
      } else if (late >= 0) {
        this.#after(Math.floor(Math.random() * schedule.jitter), () => void this.#run(group));
      }
      const isSetBack = now.epochMilliseconds < looked - LOOK;
      this.#wait(group, late >= 0 || isSetBack ? nextDue(schedule, now) : due);
    });
  }

  async #run(group: readonly ClientConfig[], attempts?: Attempts): Promise<void> {
    const { console, signal } = this.#session;
    if (signal.aborted) return;
    const free = group.filter(({ id }) => !this.#underWay.has(id));
    for (const { id } of group.filter((client) => !free.includes(client)))
      console.log.warn("the previous run is still active: skipping this one", { client: id });
    if (free.length === 0) return;
    for (const { id } of free) {
      this.#underWay.add(id);
      this.#waitNoLonger(id);
    }
    const of = attempts ?? { failed: 0, since: this.#session.now() };
    // Without failed clients: their retry may start before the others end.
    const own = new Set(free.map(({ id }) => id));
    const againIn = (client: ClientConfig, error: unknown) => this.#pause(client, error, of);
    const run = this.#work({ ...this.#session, clients: free, againIn }, ({ client, error }) => {
      if (this.#failed(free.find(({ id }) => id === client)!, error, of)) own.delete(client);
    })
      .catch((error: unknown) => console.log.error("scheduled run failed", errorFields(error)))
      .then(() => {
        for (const id of own) this.#underWay.delete(id);
        this.#runs.delete(run);
        if (!signal.aborted) this.#announce(group[0]!.schedule);
      });
    this.#runs.add(run);
    await run;
  }

  /** Whether the run is retried. */
  #failed(client: ClientConfig, error: unknown, attempts: Attempts): boolean {
    const { log } = this.#session.console;
    const { id } = client;
    const pause = this.#pause(client, error, attempts);
    if (pause === undefined) {
      log.error("scheduled run failed", { client: id, ...errorFields(error) });
      return false;
    }
    const due = this.#session.now().add({ milliseconds: pause }).toString({ smallestUnit: "second" });
    const isFirst = attempts.failed === 0;
    if (hasCode(error, "busy") && isFirst)
      log.info("another process holds the vault: the run waits until its lease ends", {
        client: id,
        due,
        ...errorFields(error),
      });
    else log.warn("this run failed and will be retried", { client: id, due, ...errorFields(error) });
    // Uses the config at that time.
    const timer = this.#after(pause, () => {
      const now = this.#clients.find((one) => one.id === id);
      if (now) void this.#run([now], { ...attempts, failed: attempts.failed + 1 });
    });
    this.#waiting.set(id, timer);
    this.#underWay.delete(id);
    return true;
  }

  /** See `pauseAfter`. Undefined if the next scheduled run comes first, or the daemon is stopping. */
  #pause({ schedule }: ClientConfig, error: unknown, attempts: Attempts): number | undefined {
    if (!this.ready) return undefined;
    const now = this.#session.now();
    const pause = pauseAfter(error, attempts, now);
    if (pause === undefined) return undefined;
    return now.epochMilliseconds + pause < nextDue(schedule, now).epochMilliseconds ? pause : undefined;
  }

  #noteDue({ id, state, schedule }: ClientConfig): void {
    try {
      noteExport(state, { due: nextDue(schedule, this.#session.now()).toString() });
    } catch (error) {
      this.#session.console.log.warn("cannot record when the next run is due, so a missed run would go unnoticed", {
        client: id,
        ...errorFields(error),
      });
    }
  }

  #announce(schedule: ScheduleConfig): void {
    const { cron, timezone } = schedule;
    this.#session.console.say(`next run ${nextDue(schedule, this.#session.now())} (${cron}, ${timezone})`);
  }

  #after(ms: number, then: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, ms);
    this.#timers.add(timer);
    return timer;
  }

  #waitNoLonger(id: string): void {
    const timer = this.#waiting.get(id);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.#timers.delete(timer);
    this.#waiting.delete(id);
  }

  #clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting.clear();
  }
}
