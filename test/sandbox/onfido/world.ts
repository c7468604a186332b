/**
 * What happened to the applicants since the sandbox started. Everything else follows from seed and index. Time comes
 * from a clock that a test sets.
 */
import { World as SharedWorld } from "../world.ts";

/** The parts that change alone. Only the run has a time that moves, and only the applicant is in a list. */
export type Part = "applicant" | "run" | "check" | "report" | "monitor";
export const PARTS: readonly Part[] = ["applicant", "run", "check", "report", "monitor"];

/** How often each part changed, and when. Times are milliseconds since 1970. */
export interface Fate extends Readonly<Record<Part, number>> {
  readonly recaptured: number;
  readonly created?: number;
  readonly ran?: number;
  readonly monitored?: number;
  /** When it was deleted. It can be restored until `deletionDelay` later. */
  readonly deleted?: number | undefined;
  /** Erased at once, as if the delay were over. */
  readonly erased: boolean;
}

const UNTOUCHED: Fate = { applicant: 0, run: 0, check: 0, report: 0, monitor: 0, recaptured: 0, erased: false };

export interface WorldOptions {
  readonly clock: () => number;
  /** Milliseconds from a deletion until the applicant can no longer be restored. */
  readonly deletionDelay: number;
  /** Milliseconds from the end of a workflow run until its evidence file is ready. */
  readonly evidenceDelay: number;
}

export type Presence = "here" | "deleted" | "erased";

const KIND = { one: "applicant", many: "applicants", key: 302, untouched: UNTOUCHED };

export class World extends SharedWorld<Fate, WorldOptions> {
  constructor(seed: number, size: number, options: WorldOptions) {
    super(KIND, seed, size, options);
  }

  presence(index: number): Presence {
    if (!this.isOne(index)) return "erased";
    const { deleted, erased } = this.fate(index);
    if (erased) return "erased";
    if (deleted === undefined) return "here";
    return this.now() < deleted + this.options.deletionDelay ? "deleted" : "erased";
  }

  has(index: number): boolean {
    return this.presence(index) === "here";
  }

  /** Newest first, as the list has them. */
  newestFirst(withDeleted: boolean): number[] {
    return Array.from({ length: this.size }, (_, at) => this.size - 1 - at).filter((index) => {
      const presence = this.presence(index);
      return presence === "here" || (withDeleted && presence === "deleted");
    });
  }

  change(index: number, part: Part, recapture: boolean): void {
    const fate = this.fate(index);
    const now = this.now();
    const times = part === "run" ? { ran: now } : part === "monitor" ? { monitored: now } : {};
    this.set(index, { [part]: fate[part] + 1, ...times });
    if (recapture) this.recapture(index);
  }

  recapture(index: number): void {
    this.set(index, { recaptured: this.fate(index).recaptured + 1 });
  }

  remove(index: number): void {
    this.set(index, { deleted: this.now() });
  }

  erase(index: number): void {
    this.set(index, { erased: true });
  }

  restore(index: number): void {
    if (this.presence(index) === "deleted") this.set(index, { deleted: undefined });
  }
}
