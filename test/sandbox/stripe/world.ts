/**
 * What happened to the sessions since the sandbox started. Everything else follows from seed and index. Time comes from
 * a clock that a test sets.
 */
import { hash } from "../random.ts";
import { World as SharedWorld } from "../world.ts";

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

const KIND = { one: "session", many: "sessions", key: 302, untouched: UNTOUCHED };

export class World extends SharedWorld<Fate, WorldOptions> {
  constructor(seed: number, size: number, options: WorldOptions) {
    super(KIND, seed, size, options);
  }

  has(index: number): boolean {
    return this.isOne(index) && !this.fate(index).gone;
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

  change(index: number, part: Part): void {
    const fate = this.fate(index);
    if (part === "status") this.set(index, { status: fate.status + 1 });
    else if (part === "metadata") this.set(index, { metadata: fate.metadata + 1 });
    else this.set(index, { attempts: [...fate.attempts, this.now()] });
  }

  vanish(index: number): void {
    this.set(index, { gone: true });
  }

  redact(index: number): void {
    this.set(index, { redacted: this.now() });
  }
}
