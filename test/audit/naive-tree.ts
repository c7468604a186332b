/** RFC 6962 section 2.1 word for word, recursive and slow, to compare src/audit with. They share no code. */
import { createHash } from "node:crypto";

export const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * A tree over leaf hashes that a function gives. Ranges with the same `key` have the same hash, which is computed once.
 */
export class NaiveTree {
  readonly #leaf: (index: number) => Buffer;
  readonly #key: (low: number, high: number) => string | number;
  readonly #known = new Map<string | number, Buffer>();

  constructor(leaf: (index: number) => Buffer, key: (low: number, high: number) => string | number) {
    this.#leaf = leaf;
    this.#key = key;
  }

  /** The tree whose leaf i is the text `entry i`. */
  static counting(): NaiveTree {
    const leaf = (i: number) => sha256(Uint8Array.of(0), countingEntry(i));
    return new NaiveTree(leaf, (low, high) => `${low}-${high}`);
  }

  /** A tree whose leaves are all the same, so that any size up to 2^53 - 1 is cheap. */
  static uniform(): NaiveTree {
    const leaf = sha256(Uint8Array.of(0));
    return new NaiveTree(
      () => leaf,
      (low, high) => high - low,
    );
  }

  /** MTH(D[low:high]). */
  hash(low: number, high: number): Buffer {
    if (high === low) return sha256();
    const key = this.#key(low, high);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const k = low + split(high - low);
    const made = high - low === 1 ? this.#leaf(low) : sha256(Uint8Array.of(1), this.hash(low, k), this.hash(k, high));
    this.#known.set(key, made);
    return made;
  }

  /** PATH(m, D[low:high]), m counted from low. */
  path(m: number, low: number, high: number): Buffer[] {
    if (high - low === 1) return [];
    const k = split(high - low);
    return m < k
      ? [...this.path(m, low, low + k), this.hash(low + k, high)]
      : [...this.path(m - k, low + k, high), this.hash(low, low + k)];
  }

  /** SUBPROOF(m, D[low:high], whole). PROOF(m, D[n]) is proof(m, 0, n). */
  proof(m: number, low: number, high: number, whole = true): Buffer[] {
    if (m === high - low) return whole ? [] : [this.hash(low, high)];
    const k = split(high - low);
    return m <= k
      ? [...this.proof(m, low, low + k, whole), this.hash(low + k, high)]
      : [...this.proof(m - k, low + k, high, false), this.hash(low, low + k)];
  }

  /** The tile as C2SP tlog-tiles defines it. */
  tile(level: number, index: number, width: number): Buffer {
    const unit = 256 ** level;
    const at = (i: number) => this.hash((index * 256 + i) * unit, (index * 256 + i + 1) * unit);
    return Buffer.concat(Array.from({ length: width }, (_, i) => at(i)));
  }
}

export function countingEntry(index: number): Buffer {
  return Buffer.from(`entry ${index}`);
}

/** The largest power of two smaller than n. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
