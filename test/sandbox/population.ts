/**
 * Every identity that the sandbox knows, generated from seed and index on each request. It only stores what a test did
 * to an identity: how often it changed, whether it was redacted or deleted.
 */
import { identityId, indexOfId } from "./id.ts";
import { hash } from "./random.ts";

/** What happened to one identity since the sandbox started. */
export interface Fate {
  /** Changes so far: odd ones move the status, even ones correct a data point. */
  readonly revision: number;
  /** How often its files were captured again. */
  readonly recaptured: number;
  readonly redacted: boolean;
  readonly gone: boolean;
}

const UNTOUCHED: Fate = { revision: 0, recaptured: 0, redacted: false, gone: false };

export class Population {
  readonly seed: number;
  #size: number;
  readonly #fates = new Map<number, Fate>();

  constructor(seed: number, size: number) {
    this.seed = seed;
    this.#size = size;
  }

  /** One past the highest index; deleted identities keep theirs. */
  get size(): number {
    return this.#size;
  }

  fate(index: number): Fate {
    return this.#fates.get(index) ?? UNTOUCHED;
  }

  has(index: number): boolean {
    return index >= 0 && index < this.#size && !this.fate(index).gone;
  }

  /** The index of an id, if the API would answer for it. */
  find(id: string): number | undefined {
    const index = indexOfId(this.seed, id);
    return index !== undefined && this.has(index) ? index : undefined;
  }

  id(index: number): string {
    return identityId(this.seed, index);
  }

  *indexes(from = 0): Generator<number> {
    for (let index = from; index < this.#size; index++) if (this.has(index)) yield index;
  }

  add(count: number): number[] {
    const first = this.#size;
    this.#size += count;
    return Array.from({ length: count }, (_, i) => first + i);
  }

  /** Changes the given identities, or `count` of those that are left, scattered but always the same ones. */
  change(which: number | readonly number[], recapture: boolean): number[] {
    const chosen = typeof which === "number" ? this.#scattered(which) : [...which];
    for (const index of chosen) {
      const fate = this.fate(index);
      this.#set(index, { revision: fate.revision + 1, recaptured: fate.recaptured + (recapture ? 1 : 0) });
    }
    return chosen;
  }

  vanish(indexes: readonly number[]): void {
    for (const index of indexes) this.#set(index, { gone: true });
  }

  redact(indexes: readonly number[]): void {
    for (const index of indexes) this.#set(index, { redacted: true });
  }

  #set(index: number, news: Partial<Fate>): void {
    if (!(index >= 0 && index < this.#size)) throw new RangeError(`there is no identity ${index}`);
    this.#fates.set(index, { ...this.fate(index), ...news });
  }

  #scattered(count: number): number[] {
    const alive = [...this.indexes()];
    if (count > alive.length) throw new RangeError(`cannot change ${count} identities, there are ${alive.length}`);
    if (count === alive.length) return alive;
    const chosen = new Set<number>();
    for (let n = 0; chosen.size < count; n++) chosen.add(alive[hash(this.seed, 20, n) % alive.length]!);
    return [...chosen].sort((a, b) => a - b);
  }
}
