/** What differs from answer to answer though nothing changed: the order of arrays, and the tokens of file URLs. */
import { Random } from "../random.ts";
import type { Shelf, Slot } from "./slot.ts";
import { makeToken } from "./token.ts";

export interface FileValue {
  readonly filename: string;
  readonly url: string;
  readonly "byte-size": number;
}

export interface TellingOptions {
  readonly seed: number;
  readonly shelf: Shelf;
  readonly filesOrigin: string;
  /** When the tokens of this answer expire, in milliseconds since 1970. */
  readonly expires: number;
}

export class Telling {
  readonly #options: TellingOptions;
  readonly #answer: number;
  readonly #random: Random;

  /** Answer 0 is for tests that look at an object: its arrays keep their order. */
  constructor(options: TellingOptions, answer: number) {
    this.#options = options;
    this.#answer = answer;
    this.#random = new Random(options.seed, 222, answer);
  }

  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = this.#answer === 0 ? 0 : out.length - 1; i > 0; i--) {
      const j = this.#random.integer(0, i);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }

  url(slot: Slot): string {
    const { seed, shelf, filesOrigin, expires } = this.#options;
    const name = shelf.name(slot);
    return `${filesOrigin}/${name}?access_token=${makeToken(seed, name, expires, this.#answer)}`;
  }

  file(slot: Slot): FileValue {
    const { shelf } = this.#options;
    return { filename: shelf.name(slot), url: this.url(slot), "byte-size": shelf.size(slot) };
  }
}
