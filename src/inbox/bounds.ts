/** What a receiver accepts at most. No provider comes near it. */
export interface ReceiverBounds {
  /** Of one body, in bytes: as counted, whatever Content-Length says. */
  readonly body: number;
  /** Of all bodies that are being received, in bytes. */
  readonly bodies: number;
  /** Of all headers of a request, in bytes. */
  readonly headers: number;
  /** From the first byte of a request to its last, in ms. */
  readonly patience: number;
  readonly connections: number;
  /** Requests per second, and how many at once after a pause. */
  readonly rate: number;
  readonly burst: number;
}

export const BOUNDS: ReceiverBounds = {
  body: 1024 ** 2,
  bodies: 32 * 1024 ** 2,
  headers: 16 * 1024,
  patience: 10_000,
  connections: 256,
  rate: 500,
  burst: 2_000,
};

/** Lets `rate` through per second, and up to `burst` after a pause. */
export class Gate {
  readonly #rate: number;
  readonly #burst: number;
  #left: number;
  #at = performance.now();

  constructor({ rate, burst }: Pick<ReceiverBounds, "rate" | "burst">) {
    this.#rate = rate;
    this.#burst = burst;
    this.#left = burst;
  }

  passes(now = performance.now()): boolean {
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) * this.#rate) / 1000);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
