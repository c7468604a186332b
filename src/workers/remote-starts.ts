import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Rate } from "../config/rate.ts";
import { HoldfastError } from "../core/error.ts";
import type { LimitsView } from "../source/rate/limits.ts";
import type { AnswerHead, Start, Starts } from "../source/rate/starts.ts";
import type { Names } from "./redis-keys.ts";
import { formatReport, parseGranted, type RequestReport } from "./wire.ts";

/** Seconds to block on the list. */
const WAIT = 1;
/** Asks again after this long without an answer, in ms: Redis may have lost the question or the answer. */
const AGAIN = 5_000;
/** After an interruption, how long to wait for a start, in ms. */
const PATIENCE = 5_000;
/** A clock that is off by more, in ms, would lock objects until the wrong day. */
const SKEW = 2 * 60_000;

interface Asked {
  readonly resolve: (start: Start) => void;
  readonly reject: (error: HoldfastError) => void;
  at: number;
}

/** Gets starts from the coordinator through Redis. On close or interruption, waiting calls throw `interrupted`. */
export class RemoteStarts implements Starts {
  readonly #redis: Redis;
  readonly #listener: Redis;
  readonly #names: Names;
  readonly #ceiling: Rate;
  readonly #worker = randomUUID();
  readonly #asked = new Map<number, Asked>();
  readonly #numbers = new WeakMap<Start, number>();
  #next = 1;
  #outgoing: string[] = [];
  #rate: number;
  #skew = 0;
  #refusals = 0;
  #closed = false;
  #interrupted = Number.POSITIVE_INFINITY;

  constructor(redis: Redis, names: Names, rate: Rate, signal: AbortSignal) {
    this.#redis = redis;
    this.#listener = redis.duplicate();
    this.#listener.on("error", () => {});
    this.#names = names;
    this.#ceiling = rate;
    this.#rate = (rate.count * 1000) / rate.per;
    const interrupt = (): void => {
      this.#interrupted = performance.now() + PATIENCE;
    };
    if (signal.aborted) interrupt();
    signal.addEventListener("abort", interrupt, { once: true });
    void this.#run();
  }

  /** Throws `state` if this machine's clock differs from the coordinator's. Call it before locking anything. */
  checkClock(): void {
    if (Math.abs(this.#skew) <= SKEW) return;
    throw new HoldfastError(
      "state",
      `this machine's clock is ${Math.round(this.#skew / 1000)} s off the coordinator's`,
      {
        hint: "Set both clocks (NTP): the locks of objects depend on them.",
      },
    );
  }

  start(): Promise<Start> {
    const { promise, resolve, reject } = Promise.withResolvers<Start>();
    if (this.#closed) reject(interrupted());
    else {
      const number = this.#next++;
      this.#asked.set(number, { resolve, reject, at: performance.now() });
      this.#tell({ kind: "start", worker: this.#worker, number });
    }
    return promise;
  }

  ended(start: Start, answer: AnswerHead | undefined): void {
    if (answer?.status === 429) this.#refusals += 1;
    this.#tell({ kind: "ended", worker: this.#worker, number: this.#numbers.get(start)!, answer });
  }

  silence(ms: number): boolean {
    this.#tell({ kind: "silence", ms: Math.ceil(ms) });
    return true;
  }

  get view(): LimitsView {
    const { count, per } = this.#ceiling;
    return { rate: this.#rate, ceiling: (count * 1000) / per, per, silences: 0, silent: 0, refusals: this.#refusals };
  }

  close(): void {
    this.#closed = true;
    this.#listener.disconnect();
    this.#refuseAll();
  }

  async #run(): Promise<void> {
    const key = this.#names.granted(this.#worker);
    while (!this.#closed) {
      try {
        const found = await this.#listener.blpop(key, WAIT);
        if (found) for (const text of [found[1], ...((await this.#listener.lpop(key, 256)) ?? [])]) this.#take(text);
      } catch {
        // The connection is lost. It reconnects by itself.
      }
      if (performance.now() > this.#interrupted) this.#refuseAll();
      this.#askAgain();
    }
  }

  #take(text: string): void {
    const granted = parseGranted(text);
    const asked = granted && this.#asked.get(granted.number);
    if (!granted || !asked) return;
    this.#asked.delete(granted.number);
    this.#rate = granted.rate;
    this.#skew = Date.now() - granted.at;
    const start: Start = { at: granted.at, waited: granted.waited };
    this.#numbers.set(start, granted.number);
    asked.resolve(start);
  }

  #askAgain(): void {
    const now = performance.now();
    for (const [number, asked] of this.#asked) {
      if (now - asked.at < AGAIN) continue;
      asked.at = now;
      this.#tell({ kind: "start", worker: this.#worker, number });
    }
  }

  #refuseAll(): void {
    for (const { reject } of this.#asked.values()) reject(interrupted());
    this.#asked.clear();
  }

  /** Sends all reports of one event loop turn in one command. */
  #tell(report: RequestReport): void {
    this.#outgoing.push(formatReport(report));
    if (this.#outgoing.length > 1) return;
    setImmediate(() => {
      const outgoing = this.#outgoing;
      this.#outgoing = [];
      void this.#redis.rpush(this.#names.starts, ...outgoing).catch(() => {});
    });
  }
}

function interrupted(): HoldfastError {
  return new HoldfastError("interrupted", "interrupted while waiting for the coordinator to grant a request");
}
