import { hash } from "node:crypto";

/**
 * A set of texts, as 52 bits of each one's hash, in 16 to 32 bytes: a list of ten million people has a hundred thousand pages. Two
 * of so many texts have the same 52 bits in one list of a million.
 */
export class Fingerprints {
  /** A hash table without pointers: zero is a free place. At most half of it is used. */
  #places = new Float64Array(64);
  #size = 0;

  /** Whether it is new. */
  add(text: string): boolean {
    const fingerprint = Number.parseInt(hash("sha256", text).slice(0, 13), 16) || 1;
    if (!this.#put(fingerprint)) return false;
    this.#size += 1;
    if (this.#size * 2 <= this.#places.length) return true;
    const former = this.#places;
    this.#places = new Float64Array(former.length * 2);
    for (const each of former) if (each !== 0) this.#put(each);
    return true;
  }

  #put(fingerprint: number): boolean {
    const { length } = this.#places;
    let at = fingerprint % length;
    for (; this.#places[at] !== 0; at = (at + 1) % length) if (this.#places[at] === fingerprint) return false;
    this.#places[at] = fingerprint;
    return true;
  }
}
