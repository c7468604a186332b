import type { Journaled } from "../audit/journal.ts";
import type { Head } from "../audit/log.ts";
import type { Problem } from "./problem.ts";

/** What a machine wrote down of the log's entries. */
export interface JournalKept {
  readonly path: string;
  readonly entries: readonly Journaled[];
  /** Entries below it are under a checkpoint that the machine saw. */
  readonly seen: number;
}

/**
 * What this machine journaled and a checkpoint covers must be in the log as it was journaled, and the log must reach up
 * to the rest. Where another machine went on with the log meanwhile, it has other entries in the places of the rest:
 * that is no problem, the next run logs them again.
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
      this.#problem({ key: this.#path, entry: index, what: "the log has another entry than the one journaled here" });
  }

  /** Gives how many journaled entries are not in the log yet. */
  end(): number {
    if (this.#first !== undefined && this.#first > this.#head.size) {
      const what = `the log ends at entry ${this.#head.size}, and the journal goes on from ${this.#first}: it was cut short`;
      this.#problem({ key: this.#path, what });
    }
    return [...this.#waiting.keys()].filter((index) => index >= this.#seen).length;
  }
}
