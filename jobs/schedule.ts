import cron, { type ScheduledTask } from "node-cron";
import { noteExport, readLastExport } from "../src/catalog/last-export.ts";
import type { ClientConfig, MetricsConfig, ScheduleConfig } from "../src/config/config.ts";
import { errorFields } from "../src/observe/log.ts";
import { startMonitor } from "../src/observe/server.ts";
import type { Session } from "./client.ts";
import { nextDue } from "./due.ts";
import type { Take } from "./reload.ts";
import { showStanding, sparing } from "./standing.ts";
import { VERSION } from "./version.ts";

/** Brings the clients of a session up to date. */
export type Work = (session: Session) => Promise<unknown>;

/**
 * Runs `work` as the clients' cron lines say, until the signal, and answers those who watch. A failed run does not end
 * the daemon; the next is another chance. Resolves after the runs under way have come to their end.
 * @param reload has the clients replaced from then on
 */
export async function runOnSchedule(
  session: Session,
  { listen }: MetricsConfig,
  work: Work,
  reload: (take: Take) => Disposable,
): Promise<void> {
  const { signal, console } = session;
  const metrics = listen && new (await import("../src/observe/metrics.ts")).Metrics(VERSION);
  const schedules = new Schedules({ ...session, metrics, pushgateway: undefined }, work);
  if (metrics) metrics.refresh = sparing(() => showStanding(metrics, schedules.clients, session.now()));
  await using monitor = metrics && (await startMonitor({ ...listen, metrics, ready: () => schedules.ready }));
  if (monitor) console.say(`metrics at http://${listen!.host}:${monitor.port}/metrics`);
  schedules.replace(session.clients);
  using _reloading = reload((clients) => schedules.replace(clients));
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await schedules.stop();
}

/** A timer of Node cannot be set much farther, and a clock may be set meanwhile. */
const LOOK = 12 * 3_600_000;

/**
 * Who is exported when. Clients of one schedule are exported one after the other, those of different ones side by side;
 * no client twice at once: a run that falls due while one is under way is left out, and that is said.
 */
export class Schedules {
  readonly #session: Session;
  readonly #work: Work;
  readonly #tasks: ScheduledTask[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #underWay = new Set<string>();
  readonly #runs = new Set<Promise<void>>();
  #clients: readonly ClientConfig[] = [];

  constructor(session: Session, work: Work) {
    this.#session = session;
    this.#work = work;
  }

  get clients(): readonly ClientConfig[] {
    return this.#clients;
  }

  /** Whether runs will begin when they are due. */
  get ready(): boolean {
    return this.#tasks.length > 0 && !this.#session.signal.aborted;
  }

  /**
   * From now on these clients, at their times; runs under way go on as they began. One whose run was missed or cut
   * (nobody was there, the machine was down) is exported at once.
   */
  replace(clients: readonly ClientConfig[]): void {
    this.#clear();
    this.#clients = clients;
    for (const group of Map.groupBy(clients, ({ schedule }) => JSON.stringify(schedule)).values()) this.#begin(group);
  }

  /** Nothing begins any more. Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#clear();
    await Promise.all(this.#runs);
  }

  #begin(group: readonly ClientConfig[]): void {
    const { schedule } = group[0]!;
    const { log } = this.#session.console;
    const task = cron.schedule(schedule.cron, () => this.#run(group), {
      ...{ timezone: schedule.timezone, name: "export", maxRandomDelay: schedule.jitter, suppressMissedWarning: true },
    });
    task.on("execution:missed", () => {
      log.warn("a run was missed, because the machine slept or was too busy: it begins now");
      void this.#run(group);
    });
    this.#tasks.push(task);
    this.#watchClocks(group, nextDue(schedule));
    const now = this.#session.now();
    const missed = group.filter(({ id, state }) => {
      const { due } = readLastExport(state);
      if (due === undefined || Temporal.Instant.compare(due, now) > 0) return false;
      log.info("the run that was due was missed or cut: it begins now", { client: id, due });
      return true;
    });
    for (const client of group) if (!missed.includes(client)) this.#noteDue(client);
    if (missed.length > 0) void this.#run(missed);
    this.#announce(schedule);
  }

  /** The night that leaves the time out: node-cron would leave the run out. */
  #watchClocks(group: readonly ClientConfig[], due: Temporal.Instant): void {
    const { schedule } = group[0]!;
    const left = due.epochMilliseconds - Date.now();
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        if (Date.now() >= due.epochMilliseconds && !matches(schedule, due)) void this.#run(group);
        this.#watchClocks(group, nextDue(schedule));
      },
      Math.min(Math.max(left, 0), LOOK),
    );
    this.#timers.add(timer);
  }

  async #run(group: readonly ClientConfig[]): Promise<void> {
    const { console, signal } = this.#session;
    if (signal.aborted) return;
    const free = group.filter(({ id }) => !this.#underWay.has(id));
    for (const { id } of group.filter((client) => !free.includes(client)))
      console.log.warn("a run is still under way: this one is left out", { client: id });
    if (free.length === 0) return;
    for (const { id } of free) this.#underWay.add(id);
    const run = this.#work({ ...this.#session, clients: free })
      .catch((error: unknown) => console.log.error("scheduled run failed", errorFields(error)))
      .then(() => {
        for (const { id } of free) this.#underWay.delete(id);
        this.#runs.delete(run);
        if (!signal.aborted) this.#announce(group[0]!.schedule);
      });
    this.#runs.add(run);
    await run;
  }

  #noteDue({ id, state, schedule }: ClientConfig): void {
    try {
      noteExport(state, { due: nextDue(schedule).toString() });
    } catch (error) {
      this.#session.console.log.warn("a missed run would not be noticed", { client: id, ...errorFields(error) });
    }
  }

  #announce(schedule: ScheduleConfig): void {
    const { cron, timezone } = schedule;
    this.#session.console.say(`next run ${nextDue(schedule)} (${cron}, ${timezone})`);
  }

  #clear(): void {
    for (const task of this.#tasks.splice(0)) void task.destroy();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** Whether node-cron begins a run then by itself. */
function matches({ cron: pattern, timezone }: ScheduleConfig, at: Temporal.Instant): boolean {
  const task = cron.createTask(pattern, () => {}, { timezone });
  try {
    return task.match(new Date(at.epochMilliseconds));
  } finally {
    void task.destroy();
  }
}
