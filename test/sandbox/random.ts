/**
 * Pseudo-random numbers that depend only on their seed: the sandbox must give the same answers, byte for byte, on every
 * machine and in every run. Not suitable for secrets.
 */

/** Mixes words to 32 well-spread bits (the finalizer of MurmurHash3 between the words). */
export function hash(...words: readonly number[]): number {
  let h = 0x2545f491;
  for (const word of words) {
    h = Math.imul(h ^ word, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h >>> 0;
}

export class Random {
  #state: number;

  constructor(...seed: readonly number[]) {
    this.#state = hash(...seed);
  }

  /** 32 bits, unsigned. */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return hash(this.#state);
  }

  /** In [0, 1). */
  float(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.float() * (high - low + 1));
  }

  between(low: number, high: number): number {
    return low + this.float() * (high - low);
  }

  chance(percent: number): boolean {
    return this.float() * 100 < percent;
  }

  pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.float() * values.length)]!;
  }

  /** Picks by weight: `[["approved", 60], ["declined", 5]]`. */
  weighted<T>(choices: readonly (readonly [T, number])[]): T {
    const total = choices.reduce((sum, [, weight]) => sum + weight, 0);
    let left = this.float() * total;
    for (const [value, weight] of choices) {
      left -= weight;
      if (left < 0) return value;
    }
    return choices.at(-1)![0];
  }

  /** `length` characters of `alphabet`. */
  string(alphabet: string, length: number): string {
    let out = "";
    for (let i = 0; i < length; i++) out += alphabet[Math.floor(this.float() * alphabet.length)];
    return out;
  }
}
