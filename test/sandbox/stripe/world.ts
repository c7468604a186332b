/**
 * What happened to the sessions since the sandbox started. Everything else follows from seed and index. Time comes from
 * a clock that a test sets.
 */
import { hash } from "../random.ts";

/** Times are milliseconds since 1970. */
export interface Fate {
  /** How often the status moved. */
  readonly status: number;
  /** How often a merchant edited the metadata, of which no event tells. */
  readonly metadata: number;
  /** When the person tried again: each makes a report with pictures of its own. */
  readonly attempts: readonly number[];
  readonly gone: boolean;
  readonly created?: number;
  readonly redacted?: number;
}

export type Part = "status" | "attempt" | "metadata";

/** Stripe's three words on the way of a redaction. Only after the last is the data gone. */
export type Stage = "validated" | "processing" | "redacted";

const UNTOUCHED: Fate = { status: 0, metadata: 0, attempts: [], gone: false };

export interface WorldOptions {
  readonly clock: () => number;
  /** Milliseconds from the request to redact until the data is gone. Stripe says up to four days. */
  readonly redactDelay: number;
  /** Percentage of sessions of the same person as the session before, with the same `client_reference_id`. */
  readonly repeats: number;
}

export class World {
  readonly seed: number;
  readonly options: WorldOptions;
  #size: number;
  readonly #fates = new Map<number, Fate>();

  constructor(seed: number, size: number, options: WorldOptions) {
    this.seed = seed;
    this.options = options;
    this.#size = size;
  }

  /** One past the highest index; sessions that are gone keep theirs. */
  get size(): number {
    return this.#size;
  }

  now(): number {
    return this.options.clock();
  }

  fate(index: number): Fate {
    return this.#fates.get(index) ?? UNTOUCHED;
  }

  has(index: number): boolean {
    return index >= 0 && index < this.#size && !this.fate(index).gone;
  }

  /** The first session of the same person, from which the person is invented. */
  base(index: number): number {
    let first = index;
    while (first > 0 && hash(this.seed, 301, first) % 10_000 < this.options.repeats * 100) first--;
    return first;
  }

  redaction(index: number): Stage | undefined {
    const { redacted } = this.fate(index);
    if (redacted === undefined) return undefined;
    const waited = this.now() - redacted;
    if (waited >= this.options.redactDelay) return "redacted";
    return waited >= this.options.redactDelay / 2 ? "processing" : "validated";
  }

  add(count: number): number[] {
    const indexes = Array.from({ length: count }, () => this.#size++);
    for (const index of indexes) this.#set(index, { created: this.now() });
    return indexes;
  }

  change(index: number, part: Part): void {
    const fate = this.fate(index);
    if (part === "status") this.#set(index, { status: fate.status + 1 });
    else if (part === "metadata") this.#set(index, { metadata: fate.metadata + 1 });
    else this.#set(index, { attempts: [...fate.attempts, this.now()] });
  }

  vanish(index: number): void {
    this.#set(index, { gone: true });
  }

  redact(index: number): void {
    this.#set(index, { redacted: this.now() });
  }

  /** `count` of the sessions that are left, scattered but always the same ones. */
  scattered(count: number): number[] {
    const alive = Array.from({ length: this.#size }, (_, index) => index).filter((index) => this.has(index));
    if (count > alive.length) throw new RangeError(`cannot change ${count} sessions, there are ${alive.length}`);
    if (count === alive.length) return alive;
    const chosen = new Set<number>();
    for (let n = 0; chosen.size < count; n++) chosen.add(alive[hash(this.seed, 302, n) % alive.length]!);
    return [...chosen].sort((a, b) => a - b);
  }

  #set(index: number, news: Partial<Fate>): void {
    if (!(index >= 0 && index < this.#size)) throw new RangeError(`there is no session ${index}`);
    this.#fates.set(index, { ...this.fate(index), ...news });
  }
}
