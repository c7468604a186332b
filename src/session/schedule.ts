import type { ClientConfig, ScheduleConfig } from "../config/config.ts";
import { hasCode } from "../core/error.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "./client.ts";
import type { ClientFailure } from "./each-client.ts";
import { LOCKS, lastRun, noteRuns, type Part, partsOf } from "./last-runs.ts";
import { nextDue } from "./next-run.ts";
import { type Attempts, pauseAfter } from "./retry-run.ts";
import { Turns } from "./turns.ts";

/** Exports the clients of a session, and reports each failed client at once. */
export type ScheduledWork = (session: Session, onFailure: (failure: ClientFailure) => void) => Promise<unknown>;

/** How often to check the clock, in ms: it may be adjusted, and the machine may sleep. */
const LOOK = 60_000;

/**
 * Decides what is exported when: each client's sources, by their schedules. What has the same schedule is exported one
 * after the other, different schedules in parallel, but no client twice at once (`Turns`).
 */
export class Schedules {
  readonly #session: Session;
  readonly #work: ScheduledWork;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #turns: Turns;
  /** Failed runs that wait to be retried, by client and schedule. */
  readonly #waiting = new Map<string, { readonly part: Part; readonly timer: NodeJS.Timeout }>();
  readonly #runs = new Set<Promise<void>>();
  #clients: readonly ClientConfig[] = [];
  #stopped = false;

  constructor(session: Session, work: ScheduledWork) {
    this.#session = session;
    this.#work = work;
    this.#turns = new Turns(session.console.log, ({ part, attempts }) => {
      const client = this.#clients.find(({ id }) => id === part.client.id);
      const now = client && asNow(part, client);
      if (now) void this.#run([now], attempts);
    });
  }

  get clients(): readonly ClientConfig[] {
    return this.#clients;
  }

  /** Whether due runs will start. */
  get ready(): boolean {
    return this.#clients.length > 0 && !this.#stopped && !this.#session.signal.aborted;
  }

  /**
   * Switches to these clients and their schedules. Active runs continue as they started. A source whose run was missed or
   * cut short (the machine was down), or waits for a retry, is exported at once.
   */
  replace(clients: readonly ClientConfig[]): void {
    const waited = Map.groupBy(this.#waiting.values(), ({ part }) => part.client.id);
    this.#clear();
    this.#clients = clients;
    const parts = clients.flatMap(partsOf);
    for (const group of Map.groupBy(parts, ({ schedule }) => JSON.stringify(schedule)).values()) {
      this.#begin(group, (id) => (waited.get(id) ?? []).flatMap(({ part }) => part.names));
    }
  }

  /** Starts nothing more. Resolves when the active runs have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#clear();
    await Promise.all(this.#runs);
  }

  /** See `Turns`. Undefined also if no runs will start. */
  take(client: string, onWanted: () => void): Disposable | undefined {
    return this.ready ? this.#turns.take(client, onWanted) : undefined;
  }

  #begin(group: readonly Part[], waited: (client: string) => readonly string[]): void {
    const { schedule } = group[0]!;
    const now = this.#session.now();
    this.#wait(group, nextDue(schedule, now));
    // For active runs, the next due time is saved when they end.
    const idle = group.filter(({ client }) => !this.#turns.isActive(client.id));
    const missed = idle.map((part): Part => {
      const again = waited(part.client.id);
      return {
        ...part,
        names: part.names.filter((name) => again.includes(name) || this.#isMissed(part.client, name, now)),
      };
    });
    for (const [at, part] of idle.entries()) {
      this.#noteDue({ ...part, names: part.names.filter((name) => !missed[at]!.names.includes(name)) });
    }
    const due = missed.filter(({ names }) => names.length > 0);
    if (due.length > 0) void this.#run(due);
    this.#announce(schedule);
  }

  #isMissed(client: ClientConfig, name: string, now: Temporal.Instant): boolean {
    const { due } = lastRun(client, name);
    if (due === undefined || Temporal.Instant.compare(due, now) > 0) return false;
    this.#session.console.log.info("a due run was missed or cut short: starting it now", {
      client: client.id,
      ...(partsOf(client).flatMap(({ names }) => names).length > 1 && name !== LOCKS ? { source: name } : {}),
      due,
    });
    return true;
  }

  /** Starts the group's run when it is due, then waits for the next. */
  #wait(group: readonly Part[], due: Temporal.Instant): void {
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

  async #run(group: readonly Part[], attempts?: Attempts): Promise<void> {
    const { console, signal } = this.#session;
    if (signal.aborted || this.#stopped) return;
    const of = attempts ?? { failed: 0, since: this.#session.now() };
    const free = group.filter((part) => this.#turns.begin({ part, attempts: of }));
    if (free.length === 0) return;
    for (const part of free) this.#waitNoLonger(part);
    // Without failed clients: their retry may start before the others end.
    const own = new Set(free.map(({ client }) => client.id));
    const partOf = (id: string) => free.find(({ client }) => client.id === id)!;
    const againIn = ({ id }: ClientConfig, error: unknown) => this.#pause(partOf(id), error, of);
    const clients = free.map(({ client, names }) => ({ ...client, only: names.filter((name) => name !== LOCKS) }));
    const run = this.#work({ ...this.#session, clients, againIn }, ({ client, source, error }) => {
      const part = partOf(client);
      const failed = source === undefined ? part : { ...part, names: [source] };
      if (this.#failed(failed, error, of) && own.delete(client)) this.#turns.end(client);
    })
      .catch((error: unknown) => console.log.error("scheduled run failed", errorFields(error)))
      .then(() => {
        this.#runs.delete(run);
        for (const id of own) this.#turns.end(id);
        if (!signal.aborted) this.#announce(group[0]!.schedule);
      });
    this.#runs.add(run);
    await run;
  }

  /** Whether the run is retried. */
  #failed(part: Part, error: unknown, attempts: Attempts): boolean {
    const { log } = this.#session.console;
    const { id, sources } = part.client;
    const names = part.names.filter((name) => name !== LOCKS).join(", ");
    const source = sources.length > 1 && names !== "" ? { source: names } : {};
    const fields = { client: id, ...source, ...errorFields(error) };
    const pause = this.#pause(part, error, attempts);
    if (pause === undefined) {
      log.error("scheduled run failed", fields);
      return false;
    }
    const due = this.#session.now().add({ milliseconds: pause }).toString({ smallestUnit: "second" });
    const isFirst = attempts.failed === 0;
    if (hasCode(error, "busy") && isFirst)
      log.info("another process holds the vault: the run waits until its lease ends", { due, ...fields });
    else log.warn("this run failed and will be retried", { due, ...fields });
    const key = keyOf(part);
    const before = this.#waiting.get(key);
    if (before) {
      // Another source of the same run failed before: both are retried then.
      this.#waiting.set(key, {
        ...before,
        part: { ...part, names: [...new Set([...before.part.names, ...part.names])] },
      });
      return true;
    }
    const timer = this.#after(pause, () => {
      const waited = this.#waiting.get(key)?.part ?? part;
      // Uses the config at that time.
      const client = this.#clients.find((one) => one.id === id);
      const now = client && asNow(waited, client);
      if (now) void this.#run([now], { ...attempts, failed: attempts.failed + 1 });
    });
    this.#waiting.set(key, { part, timer });
    return true;
  }

  /** See `pauseAfter`. Undefined if the next scheduled run comes first, or the daemon is stopping. */
  #pause({ schedule }: Part, error: unknown, attempts: Attempts): number | undefined {
    if (!this.ready) return undefined;
    const now = this.#session.now();
    const pause = pauseAfter(error, attempts, now);
    if (pause === undefined) return undefined;
    return now.epochMilliseconds + pause < nextDue(schedule, now).epochMilliseconds ? pause : undefined;
  }

  #noteDue({ client, schedule, names }: Part): void {
    try {
      const due = nextDue(schedule, this.#session.now()).toString();
      noteRuns(client, Object.fromEntries(names.map((name) => [name, { due }])));
    } catch (error) {
      this.#session.console.log.warn("cannot record when the next run is due, so a missed run would go unnoticed", {
        client: client.id,
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

  #waitNoLonger(part: Part): void {
    const waiting = this.#waiting.get(keyOf(part));
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    this.#timers.delete(waiting.timer);
    this.#waiting.delete(keyOf(part));
  }

  #clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#waiting.clear();
  }
}

const keyOf = ({ client, schedule }: Part): string => JSON.stringify([client.id, schedule]);

/** The part as the config has it now; undefined if its sources are gone. */
function asNow({ names }: Part, client: ClientConfig): Part | undefined {
  for (const part of partsOf(client)) {
    const left = part.names.filter((name) => names.includes(name));
    if (left.length > 0) return { ...part, names: left };
  }
  return undefined;
}
