/**
 * What happened to the sessions since the sandbox started. Everything else follows from seed and index. Time comes from
 * a clock that a test sets.
 */
import { hash } from "../random.ts";
import { World as SharedWorld } from "../world.ts";

/**
 * What changes alone: the decision, another attempt with media of its own, a status that the client defined itself, the
 * ongoing watchlist monitoring. Nothing but a webhook tells of any of them.
 */
export const PARTS = ["decision", "attempt", "userStatus", "watchlist"] as const;
export type Part = (typeof PARTS)[number];

/** Times are milliseconds since 1970. */
export interface Fate {
  /** When the decision moved. */
  readonly decision: readonly number[];
  readonly attempt: readonly number[];
  readonly userStatus: readonly number[];
  readonly watchlist: readonly number[];
  readonly created?: number;
  readonly deleted: boolean;
}

const UNTOUCHED: Fate = { decision: [], attempt: [], userStatus: [], watchlist: [], deleted: false };

/** Older checks against registries of Mexico, each with an endpoint of its own. */
export const REGISTRIES = ["ine-registry", "curp-registry", "combined-ine-curp-registry"] as const;
export type Registry = (typeof REGISTRIES)[number];

export interface WorldOptions {
  readonly clock: () => number;
  /** Milliseconds from a session's creation until it can no longer be read. Veriff's own is 90 days. */
  readonly retention: number;
  /** Percentage of sessions that no one opened: they have no decision, no attempt and no time. */
  readonly unopened: number;
  /** Whether the integration has watchlist screening. */
  readonly screens: boolean;
  /** Which registries the integration asks. With one, the documents of every second person are of Mexico. */
  readonly registries: readonly Registry[];
}

/** At most so long after the one before, in ms. */
const STEP = 1_800_000;

const KIND = { one: "session", many: "sessions", key: 402, untouched: UNTOUCHED };

export class World extends SharedWorld<Fate, WorldOptions> {
  readonly #first: number;
  readonly #step: number;

  constructor(seed: number, size: number, options: WorldOptions) {
    super(KIND, seed, size, options);
    // All of them are young enough to be read when the sandbox starts, and each is older than the next.
    const past = 0.6 * options.retention;
    this.#step = Math.min(STEP, Math.floor(past / Math.max(1, size)));
    this.#first = options.clock() - this.#step * (size + 1);
  }

  isMexican(index: number): boolean {
    return this.options.registries.length > 0 && index % 2 === 0;
  }

  created(index: number): number {
    return this.fate(index).created ?? this.#first + index * this.#step + (hash(this.seed, 401, index) % 1000);
  }

  /** Deleted and archived sessions look alike. */
  has(index: number): boolean {
    if (!this.isOne(index) || this.fate(index).deleted) return false;
    return this.now() < this.created(index) + this.options.retention;
  }

  change(index: number, part: Part): void {
    this.set(index, { [part]: [...this.fate(index)[part], this.now()] });
  }

  remove(index: number): void {
    this.set(index, { deleted: true });
  }
}
