/**
 * What happened to the applicants since the sandbox started. Everything else follows from seed and index. Time comes
 * from a clock that a test sets.
 */
import { World as SharedWorld } from "../world.ts";

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

const KIND = { one: "applicant", many: "applicants", key: 402, untouched: UNTOUCHED };

export class World extends SharedWorld<Fate, WorldOptions> {
  constructor(seed: number, size: number, options: WorldOptions) {
    super(KIND, seed, size, options);
  }

  has(index: number): boolean {
    return this.isOne(index) && !this.fate(index).gone;
  }

  change(index: number, part: Part): void {
    const times = part === "review" ? { reviewed: this.now() } : {};
    this.set(index, { [part]: this.fate(index)[part] + 1, ...times });
  }

  recapture(index: number): void {
    this.set(index, { recaptured: this.fate(index).recaptured + 1 });
  }
}
