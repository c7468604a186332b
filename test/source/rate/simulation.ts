import { Limits, type LimitsOptions } from "../../../src/source/rate/limits.ts";

/** A source's own limit: a token bucket, like most have. */
export class Bucket {
  rate: number;
  readonly #burst: number;
  #tokens: number;
  #filled = 0;

  constructor(rate: number, burst = rate) {
    this.rate = rate;
    this.#burst = burst;
    this.#tokens = burst;
  }

  take(now: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filled) / 1000) * this.rate);
    this.#filled = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

export interface Sent {
  readonly at: number;
  readonly job: number;
  readonly refused: boolean;
}

export interface Job {
  /** Requests that may be in flight. */
  readonly concurrency: number;
  readonly options?: Omit<LimitsOptions, "now">;
  /** Whether it has anything to request at that time. Default: always. */
  readonly busy?: (now: number) => boolean;
}

export interface World {
  readonly ceiling: { readonly count: number; readonly per: number };
  readonly jobs: readonly Job[];
  /** From request to answer, in ms. */
  readonly latency: number;
  readonly seconds: number;
  /** Whether the source accepts a request at that time. */
  readonly accept: (now: number) => boolean;
  /** Called once each second. */
  readonly watch?: (now: number, limits: readonly Limits[]) => void;
}

/** Jobs that always have requests, against a source, with a simulated clock: hours pass in milliseconds. */
export function simulate({ ceiling, jobs, latency, seconds, accept, watch }: World): Sent[] {
  let now = 1_000_000;
  const end = now + seconds * 1000;
  const sent: Sent[] = [];
  const limits = jobs.map(({ options }) => new Limits(ceiling, { ...options, now: () => now }));
  const events: { readonly at: number; readonly run: () => void }[] = [];
  const later = (ms: number, run: () => void): void => {
    const at = now + ms;
    let place = events.length;
    while (place > 0 && events[place - 1]!.at > at) place -= 1;
    events.splice(place, 0, { at, run });
  };
  jobs.forEach(({ concurrency, busy = () => true }, job) => {
    const own = limits[job]!;
    let free = concurrency;
    let since: number | undefined;
    let waited = false;
    let timer = 0;
    const serve = (): void => {
      timer += 1;
      while (free > 0 && (since !== undefined || busy(now))) {
        since ??= now;
        const wait = own.claim(since);
        if (wait) {
          waited = true;
          const mine = timer;
          later(Math.ceil(wait.ms), () => mine === timer && serve());
          return;
        }
        ask(now, waited);
        free -= 1;
        // The next one was ready all along, unless there is no one.
        since = free > 0 && busy(now) ? since : undefined;
        waited = since !== undefined;
      }
    };
    const ask = (at: number, good: boolean): void => {
      const refused = !accept(at);
      sent.push({ at, job, refused });
      later(latency, () => {
        free += 1;
        if (refused) own.refused(at);
        else if (good) own.good();
        serve();
      });
    };
    serve();
    for (let at = 100; at < seconds * 1000; at += 100) later(at, () => free === concurrency && serve());
  });
  for (let at = 1; at <= seconds; at++) later(at * 1000, () => watch?.(now, limits));
  for (let event = events.shift(); event && event.at <= end; event = events.shift()) {
    now = event.at;
    event.run();
  }
  return sent;
}
