import { randomInt } from "node:crypto";

/** Looked at of those whose lock was set according to a report: all of so many, and one in so many beyond. */
export const LEAST = 1_000;
export const ONE_IN = 100;

/**
 * Picks things to look at from a stream of unknown length, so that no one can predict which: LEAST of them, or all if there
 * are no more, and one in ONE_IN besides.
 */
export class LockSample<T> {
  readonly #kept: T[] = [];
  #seen = 0;

  /** Whether to look at it at once. Otherwise it may be among the `rest`. */
  add(one: T): boolean {
    this.#seen += 1;
    if (this.#kept.length < LEAST) {
      this.#kept.push(one);
      return false;
    }
    if (randomInt(ONE_IN) === 0) return true;
    const at = randomInt(this.#seen);
    if (at < LEAST) this.#kept[at] = one;
    return false;
  }

  /** Those to look at when the stream has ended. */
  rest(): readonly T[] {
    return this.#kept;
  }
}
