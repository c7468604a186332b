import PQueue from "p-queue";
import { HoldfastError } from "../error.ts";

/**
 * Keeps a provider's limits: so many requests in flight, so many in a time, and none while it asked for silence.
 * Starts are spread evenly, because a burst at the head of each second is what a token bucket refuses.
 * What waits while it is closed, or in a silence that `signal` ends, throws `interrupted`.
 */
export class Throttle {
  readonly #queue: PQueue;
  readonly #signal: AbortSignal | undefined;
  #silentUntil = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(rate: { readonly count: number; readonly per: number }, concurrency: number, signal?: AbortSignal) {
    // Timers are good for some 25 ms; a faster rate starts several at once.
    const interval = Math.max(rate.per / rate.count, 25);
    const intervalCap = Math.max(1, Math.floor((rate.count * interval) / rate.per));
    this.#queue = new PQueue({ concurrency, interval, intervalCap });
    this.#signal = signal;
    signal?.addEventListener("abort", this.#endSilence);
  }

  /** @param ended the result is handed on at once, and counts as in flight until this is settled */
  run<T>(work: () => Promise<T>, ended?: (result: T) => Promise<unknown>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let begun = false;
    const task = async (): Promise<void> => {
      begun = true;
      const result = await work();
      resolve(result);
      await ended?.(result);
    };
    const stopped = (cause: unknown) =>
      new HoldfastError("interrupted", "interrupted while waiting for the source's limits", { cause });
    this.#queue.add(task).catch((error: unknown) => reject(begun ? error : stopped(error)));
    this.#endSilence();
    return promise;
  }

  /** Starts nothing for `ms`, whoever asks; a longer silence already asked for stands. */
  silence(ms: number): void {
    const until = Date.now() + ms;
    if (until <= this.#silentUntil) return;
    this.#silentUntil = until;
    this.#queue.pause();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#queue.start(), ms);
    this.#endSilence();
  }

  readonly #endSilence = (): void => {
    if (this.#signal?.aborted && this.#queue.isPaused) this.#queue.clear();
  };

  close(): void {
    this.#signal?.removeEventListener("abort", this.#endSilence);
    clearTimeout(this.#timer);
    this.#queue.clear();
  }
}
