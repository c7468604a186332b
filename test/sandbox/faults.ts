/** Deliberate faults: a rate limit, random failures, refused and truncated files, slowness. */
import { hash, Random } from "./random.ts";

export interface Faults {
  /**
   * Requests per second. A burst of one second's worth is accepted, beyond it 429 with Retry-After. Default: no limit.
   */
  readonly rate?: number | undefined;
  /** Percentage of requests that get 500, 503 or 429, or whose connection is reset. Default 0. */
  readonly fail?: number | undefined;
  /** Percentage of files that get 403, always the same files. Default 0. */
  readonly withhold?: number | undefined;
  /** Milliseconds before each answer. Default 0. */
  readonly slow?: number | undefined;
  /** Percentage of file answers that end before their Content-Length. Default 0. */
  readonly truncate?: number | undefined;
  /** Seconds in Retry-After. Default: until the next token, at least 1. Zero keeps tests fast. */
  readonly retryAfter?: number | undefined;
  /** Headers in every answer that say what is left of `rate`, in one of the forms in use. Default: none. */
  readonly rateHeaders?: RateHeaders | undefined;
}

/** IETF drafts 8 and later, 7, and up to 6; the older custom form with a duration or a time. */
export type RateHeaders = "draft-8" | "draft-7" | "draft-6" | "x-seconds" | "x-epoch";

export type Failure = 500 | 503 | 429 | "reset";

export class FaultInjector {
  #faults: Faults;
  readonly #seed: number;
  readonly #random: Random;
  #tokens: number;
  #filled = performance.now();

  constructor(seed: number, faults: Faults) {
    this.#faults = faults;
    this.#seed = seed;
    this.#random = new Random(seed, 30);
    this.#tokens = Math.max(1, faults.rate ?? 1);
  }

  set(faults: Faults): void {
    this.#faults = { ...this.#faults, ...faults };
    this.#tokens = Math.max(1, this.#faults.rate ?? 1);
    this.#filled = performance.now();
  }

  get slow(): number {
    return this.#faults.slow ?? 0;
  }

  /** Takes a token from the bucket, or returns the seconds to wait if it is empty. */
  limit(): number | undefined {
    const { rate, retryAfter } = this.#faults;
    if (rate === undefined) return undefined;
    const now = performance.now();
    this.#tokens = Math.min(Math.max(1, rate), this.#tokens + ((now - this.#filled) / 1000) * rate);
    this.#filled = now;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return undefined;
    }
    return retryAfter ?? Math.max(1, Math.ceil((1 - this.#tokens) / rate));
  }

  /** What is left in the bucket, and in how many seconds it is full. */
  rateHeaders(): Record<string, string> {
    const { rate, rateHeaders: form } = this.#faults;
    if (rate === undefined || form === undefined) return {};
    const limit = Math.max(1, Math.floor(rate));
    const left = Math.floor(this.#tokens);
    const seconds = Math.max(1, Math.ceil((limit - this.#tokens) / rate));
    if (form === "draft-8")
      return { RateLimit: `"default";r=${left};t=${seconds}`, "RateLimit-Policy": `"default";q=${limit};w=1` };
    if (form === "draft-7")
      return { RateLimit: `limit=${limit}, remaining=${left}, reset=${seconds}`, "RateLimit-Policy": `${limit};w=1` };
    const prefix = form === "draft-6" ? "RateLimit" : "X-RateLimit";
    const reset = form === "x-epoch" ? Math.ceil(Date.now() / 1000) + seconds : seconds;
    return { [`${prefix}-Limit`]: `${limit}`, [`${prefix}-Remaining`]: `${left}`, [`${prefix}-Reset`]: `${reset}` };
  }

  fail(): Failure | undefined {
    const { fail = 0 } = this.#faults;
    if (fail === 0 || !this.#random.chance(fail)) return undefined;
    return this.#random.pick([500, 503, 429, "reset"] as const);
  }

  /** A failing service does not always say how long to wait. */
  failureRetryAfter(): number | undefined {
    return this.#random.chance(50) ? (this.#faults.retryAfter ?? 1) : undefined;
  }

  withheld(fileId: string): boolean {
    const { withhold = 0 } = this.#faults;
    return withhold > 0 && hash(this.#seed, 31, ...Buffer.from(fileId)) % 10_000 < withhold * 100;
  }

  truncates(): boolean {
    const { truncate = 0 } = this.#faults;
    return truncate > 0 && this.#random.chance(truncate);
  }
}
