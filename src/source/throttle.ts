import PQueue from "p-queue";

/**
 * Keeps a provider's limits: so many requests in flight, so many in a time, and none while it asked for silence.
 * Starts are spread evenly, because a burst at the head of each second is what a token bucket refuses.
 */
export class Throttle {
  readonly #queue: PQueue;
  #silentUntil = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(rate: { readonly count: number; readonly per: number }, concurrency: number) {
    // Timers are good for some 25 ms; a faster rate starts several at once.
    const interval = Math.max(rate.per / rate.count, 25);
    const intervalCap = Math.max(1, Math.floor((rate.count * interval) / rate.per));
    this.#queue = new PQueue({ concurrency, interval, intervalCap });
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.add(work);
  }

  /** Starts nothing for `ms`, whoever asks; a longer silence already asked for stands. */
  silence(ms: number): void {
    const until = Date.now() + ms;
    if (until <= this.#silentUntil) return;
    this.#silentUntil = until;
    this.#queue.pause();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#queue.start(), ms);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#queue.clear();
  }
}
