import type { Journaled } from "../audit/journal.ts";
import type { Head } from "../audit/log.ts";
import type { Problem } from "./problem.ts";

/** What a machine's journal has of the log's entries. */
export interface JournalKept {
  readonly path: string;
  readonly entries: readonly Journaled[];
  /** Entries with a smaller index are under a checkpoint that the machine saw. */
  readonly seen: number;
}

/**
 * Everything that this machine journaled and a checkpoint covers must be in the log unchanged, and the log must reach
 * at least to the remaining entries. If another machine continued the log meanwhile, it has other entries in the places
 * of the remaining ones. That is no problem: the next run logs them again.
 */
export class JournalCheck {
  readonly #path: string;
  readonly #waiting: Map<number, Uint8Array>;
  readonly #first: number | undefined;
  readonly #seen: number;
  readonly #head: Head;
  readonly #problem: (found: Problem) => void;

  constructor(journal: JournalKept | undefined, head: Head, problem: (found: Problem) => void) {
    const entries = journal?.entries ?? [];
    this.#path = journal?.path ?? "";
    this.#waiting = new Map(entries.map(({ index, bytes }) => [index, bytes]));
    this.#first = entries[0]?.index;
    this.#seen = journal?.seen ?? 0;
    this.#head = head;
    this.#problem = problem;
  }

  check(index: number, bytes: Uint8Array): void {
    const journaled = this.#waiting.get(index);
    if (journaled === undefined) return;
    if (Buffer.compare(journaled, bytes) === 0) this.#waiting.delete(index);
    else if (index < this.#seen)
      this.#problem({ key: this.#path, entry: index, what: "the log's entry differs from the one journaled here" });
  }

  /** Returns how many journaled entries are not in the log yet. */
  end(): number {
    if (this.#first !== undefined && this.#first > this.#head.size) {
      const what = `the log ends at entry ${this.#head.size}, but the journal continues from ${this.#first}: the log was cut short`;
      this.#problem({ key: this.#path, what });
    }
    return [...this.#waiting.keys()].filter((index) => index >= this.#seen).length;
  }
}
