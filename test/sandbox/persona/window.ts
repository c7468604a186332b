/** The rate limit: so many requests in a minute, or another time, that begins with the first one. */

const MINUTE = 60_000;

export class Window {
  readonly #clock: () => number;
  readonly #length: number;
  limit: number;
  #began = Number.NEGATIVE_INFINITY;
  #used = 0;

  /** @param length in ms */
  constructor(limit: number, clock: () => number, length = MINUTE) {
    this.#length = length;
    this.limit = limit;
    this.#clock = clock;
  }

  /** Counts a request; false if it is one too many. */
  take(): boolean {
    if (this.#clock() - this.#began >= this.#length) [this.#began, this.#used] = [this.#clock(), 0];
    if (this.#used >= this.limit) return false;
    this.#used++;
    return true;
  }

  get remaining(): number {
    return Math.max(0, this.limit - this.#used);
  }

  get secondsToReset(): number {
    return Math.max(0, Math.ceil((this.#began + this.#length - this.#clock()) / 1000));
  }

  headers(): Record<string, string> {
    return {
      "RateLimit-Limit": String(this.limit),
      "RateLimit-Remaining": String(this.remaining),
      "RateLimit-Reset": String(this.secondsToReset),
    };
  }
}
