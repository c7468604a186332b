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

/** Brings the clients of a session up to date, and tells at once whose run failed. */
export type Work = (session: Session, onFailure: (failure: ClientFailure) => void) => Promise<unknown>;

/**
 * Runs `work` as the clients' cron lines say, until the signal, and answers those who watch. A failed run does not end
 * the daemon: it is tried again in the same night where that may help (`pauseAfter`), else the next is another chance. Resolves after the runs under way have come to their end.
 * @param reload has the clients replaced from then on
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
  // Before anything says that the daemon is there: a SIGHUP that no one listens for ends it.
  using _reloading = reload((clients) => schedules.replace(clients));
  schedules.replace(session.clients);
  void standings?.count();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await schedules.stop();
}

/** How often the clock is looked at, in ms: it may be set, and the machine may sleep. */
const LOOK = 60_000;

/**
 * Who is exported when. Clients of one schedule are exported one after the other, those of different ones side by side;
 * no client twice at once: a run that falls due while one is under way is left out, and that is said.
 */
export class Schedules {
  readonly #session: Session;
  readonly #work: Work;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #underWay = new Set<string>();
  /** Whose run failed and begins again. */
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

  /** Whether runs will begin when they are due. */
  get ready(): boolean {
    return this.#clients.length > 0 && !this.#stopped && !this.#session.signal.aborted;
  }

  /**
   * From now on these clients, at their times; runs under way go on as they began. One whose run was missed or cut
   * (no one was there, the machine was down), or waits to be tried again, is exported at once.
   */
  replace(clients: readonly ClientConfig[]): void {
    const waited = new Set(this.#waiting.keys());
    this.#clear();
    this.#clients = clients;
    for (const group of Map.groupBy(clients, ({ schedule }) => JSON.stringify(schedule)).values()) {
      this.#begin(group, waited);
    }
  }

  /** Nothing begins any more. Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#clear();
    await Promise.all(this.#runs);
  }

  #begin(group: readonly ClientConfig[], waited: ReadonlySet<string>): void {
    const { schedule } = group[0]!;
    const now = this.#session.now();
    this.#wait(group, nextDue(schedule, now));
    // Of those under way, when they are due next is noted as they end.
    const idle = group.filter(({ id }) => !this.#underWay.has(id));
    const missed = idle.filter((client) => waited.has(client.id) || this.#isMissed(client, now));
    for (const client of idle) if (!missed.includes(client)) this.#noteDue(client);
    if (missed.length > 0) void this.#run(missed);
    this.#announce(schedule);
  }

  #isMissed({ id, state }: ClientConfig, now: Temporal.Instant): boolean {
    const { due } = readLastExport(state);
    if (due === undefined || Temporal.Instant.compare(due, now) > 0) return false;
    this.#session.console.log.info("the run that was due was missed or cut: it begins now", { client: id, due });
    return true;
  }

  /** Begins the group's run when it is due, and waits for the one after it. */
  #wait(group: readonly ClientConfig[], due: Temporal.Instant): void {
    const { schedule } = group[0]!;
    const looked = this.#session.now().epochMilliseconds;
    this.#after(Math.min(Math.max(due.epochMilliseconds - looked, 0), LOOK), () => {
      const now = this.#session.now();
      const late = now.epochMilliseconds - due.epochMilliseconds;
      if (late >= LOOK) {
        this.#session.console.log.warn("a run was missed, because the machine slept or was too busy: it begins now");
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
      console.log.warn("a run is still under way: this one is left out", { client: id });
    if (free.length === 0) return;
    for (const { id } of free) {
      this.#underWay.add(id);
      this.#waitNoLonger(id);
    }
    const of = attempts ?? { failed: 0, since: this.#session.now() };
    // Without those that failed: they may be under way once more before the others have ended.
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

  /** Whether it is tried again. */
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
      log.info("the vault is held: the run waits until the claim on it ends", {
        client: id,
        due,
        ...errorFields(error),
      });
    else log.warn("this run failed, and is tried again", { client: id, due, ...errorFields(error) });
    // With the config as it is then.
    const timer = this.#after(pause, () => {
      const now = this.#clients.find((one) => one.id === id);
      if (now) void this.#run([now], { ...attempts, failed: attempts.failed + 1 });
    });
    this.#waiting.set(id, timer);
    this.#underWay.delete(id);
    return true;
  }

  /** See `pauseAfter`; not where the next run is due by then, or nothing begins any more. */
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
      this.#session.console.log.warn("a missed run would not be noticed", { client: id, ...errorFields(error) });
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
