/**
 * What happened to the applicants since the sandbox started. Everything else follows from seed and index. Time comes
 * from a clock that a test sets.
 */
import { hash } from "../random.ts";

/** The parts that change alone. Nothing but a webhook tells of any of them. */
export type Part = "review" | "profile" | "aml" | "action";
export const PARTS: readonly Part[] = ["review", "profile", "aml", "action"];

/** How often each part changed, and when the review last did. Times are milliseconds since 1970. */
export interface Fate extends Readonly<Record<Part, number>> {
  readonly recaptured: number;
  readonly created?: number;
  readonly reviewed?: number;
  readonly deactivated: boolean;
  /** `applicantPersonalDataDeleted`: the applicant stays, and names no one. */
  readonly redacted: boolean;
  /** `applicantDeleted`: 404 for good. */
  readonly gone: boolean;
}

const UNTOUCHED: Fate = {
  ...{ review: 0, profile: 0, aml: 0, action: 0 },
  ...{ recaptured: 0, deactivated: false, redacted: false, gone: false },
};

export interface WorldOptions {
  readonly clock: () => number;
  /** Milliseconds from a video call until its recording is there. */
  readonly recordingDelay: number;
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

  /** One past the highest index; applicants that are gone keep theirs. */
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

  /** Oldest first. The API has no list. */
  here(): number[] {
    return Array.from({ length: this.#size }, (_, index) => index).filter((index) => this.has(index));
  }

  add(count: number): number[] {
    const indexes = Array.from({ length: count }, () => this.#size++);
    for (const index of indexes) this.set(index, { created: this.now() });
    return indexes;
  }

  change(index: number, part: Part): void {
    const times = part === "review" ? { reviewed: this.now() } : {};
    this.set(index, { [part]: this.fate(index)[part] + 1, ...times });
  }

  recapture(index: number): void {
    this.set(index, { recaptured: this.fate(index).recaptured + 1 });
  }

  /** `count` of the applicants that are left, scattered but always the same ones. */
  scattered(count: number): number[] {
    const here = this.here();
    if (count > here.length) throw new RangeError(`cannot change ${count} applicants, there are ${here.length}`);
    if (count === here.length) return here;
    const chosen = new Set<number>();
    for (let n = 0; chosen.size < count; n++) chosen.add(here[hash(this.seed, 402, n) % here.length]!);
    return [...chosen].sort((a, b) => a - b);
  }

  set(index: number, news: Partial<Fate>): void {
    if (!(index >= 0 && index < this.#size)) throw new RangeError(`there is no applicant ${index}`);
    this.#fates.set(index, { ...this.fate(index), ...news });
  }
}
