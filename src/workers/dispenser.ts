import type { Redis } from "ioredis";
import { type HoldfastError, hasCode, ownError } from "../core/error.ts";
import type { AnswerHead, Start, Starts } from "../source/rate/starts.ts";
import type { Names } from "./redis-keys.ts";
import { type Granted, parseReport, type RequestReport } from "./wire.ts";

/** How many reports to take from the list at once. */
const BATCH = 256;
/** Seconds to block on a list, and to keep a granted start for its worker. */
const WAIT = 1;
const KEEP = 60;
/** A worker that does not report the end of a request for this long has died, in ms. */
const FORGOTTEN = 10 * 60_000;

/**
 * Grants the starts of all workers' requests, one by one, from this process's own rate limit. So all share one rate,
 * which includes this machine's nightly export and learns from every answer. Runs until `stop`.
 */
export class Dispenser {
  readonly #redis: Redis;
  /** A separate connection, because it blocks most of the time. */
  readonly #listener: Redis;
  readonly #names: Names;
  readonly #starts: Starts;
  /** Starts requested but not granted, and starts granted but not ended, by worker and number. */
  readonly #asked = new Set<string>();
  readonly #granted = new Map<string, Start>();
  /** Starts granted but not sent yet, by worker. */
  readonly #outgoing = new Map<string, Granted[]>();
  #count = 0;
  #spent: HoldfastError | undefined;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(redis: Redis, names: Names, starts: Starts) {
    this.#redis = redis;
    this.#listener = redis.duplicate();
    this.#listener.on("error", () => {});
    this.#names = names;
    this.#starts = starts;
    this.#running = this.#run();
  }

  /** Why no worker gets another start: the month's budget of requests is used up. */
  get spent(): HoldfastError | undefined {
    return this.#spent;
  }

  /** Starts granted so far. */
  get count(): number {
    return this.#count;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#listener.disconnect();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const first = await this.#listener.blpop(this.#names.starts, WAIT);
        this.#forget();
        if (first === null) continue;
        const more = (await this.#listener.lpop(this.#names.starts, BATCH)) ?? [];
        for (const text of [first[1], ...more]) this.#take(parseReport(text));
      } catch {
        // The connection is lost. It reconnects by itself, and workers ask again.
      }
    }
  }

  #take(report: RequestReport | undefined): void {
    if (report === undefined) return;
    if (report.kind === "silence") this.#starts.silence(report.ms);
    else if (report.kind === "ended") this.#end(`${report.worker} ${report.number}`, report.answer);
    else void this.#grant(report.worker, report.number);
  }

  async #grant(worker: string, number: number): Promise<void> {
    const key = `${worker} ${number}`;
    // The worker asks again: its request is still queued, or a Redis restart lost the grant.
    if (this.#asked.has(key)) return;
    if (!this.#granted.has(key)) {
      this.#asked.add(key);
      try {
        this.#granted.set(key, await this.#starts.start());
        this.#count += 1;
      } catch (error) {
        // This coordinator ends, because it is interrupted or the budget is used up. The worker will ask the next one.
        if (hasCode(error, "source-budget")) this.#spent ??= ownError(error);
        return;
      } finally {
        this.#asked.delete(key);
      }
    }
    const { waited, at } = this.#granted.get(key)!;
    this.#send(worker, { number, waited, at, rate: this.#starts.view.rate });
  }

  #send(worker: string, granted: Granted): void {
    const outgoing = this.#outgoing.get(worker);
    if (outgoing) {
      outgoing.push(granted);
      return;
    }
    this.#outgoing.set(worker, [granted]);
    setImmediate(() => {
      const texts = this.#outgoing.get(worker)!.map((each) => JSON.stringify(each));
      this.#outgoing.delete(worker);
      const key = this.#names.granted(worker);
      void this.#redis
        .pipeline()
        .rpush(key, ...texts)
        .expire(key, KEEP)
        .exec()
        .catch(() => {});
    });
  }

  #end(key: string, answer: AnswerHead | undefined): void {
    const start = this.#granted.get(key);
    if (start === undefined) return;
    this.#granted.delete(key);
    this.#starts.ended(start, answer);
  }

  /** The oldest are first. */
  #forget(): void {
    for (const [key, { at }] of this.#granted) {
      if (at > Date.now() - FORGOTTEN) break;
      this.#end(key, undefined);
    }
  }
}
