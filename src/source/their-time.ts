import type { Clock } from "../core/clock.ts";
import { skewOf } from "../core/clock-check.ts";

/**
 * What time it is at the provider, by the `Date` of its last answer. For what the provider holds against its own clock,
 * such as when a link expires: this machine's clock may differ by minutes and still be good enough for everything else.
 */
export class TheirTime {
  readonly #now: Clock;
  /** How far this machine's clock is ahead, in ms. Undefined until an answer has a usable `Date`. */
  #skew: number | undefined;

  constructor(now: Clock) {
    this.#now = now;
  }

  learn(date: unknown): void {
    this.#skew = skewOf(date, this.#now()) ?? this.#skew;
  }

  /** Whether an answer said it. Otherwise it is this machine's time. */
  get isKnown(): boolean {
    return this.#skew !== undefined;
  }

  now(): Temporal.Instant {
    return this.#now().subtract({ milliseconds: Math.round(this.#skew ?? 0) });
  }
}
