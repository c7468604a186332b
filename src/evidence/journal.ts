import type { Journaled } from "../audit/journal.ts";
import type { Head } from "../audit/log.ts";
import type { Problem } from "./problem.ts";

/** What this machine journaled and the log holds already must be the same, and the log must reach up to the rest. */
export class JournalCheck {
  readonly #path: string;
  readonly #waiting: Map<number, Uint8Array>;
  readonly #first: number | undefined;
  readonly #head: Head;
  readonly #problem: (found: Problem) => void;

  constructor(
    journal: { readonly path: string; readonly entries: readonly Journaled[] } | undefined,
    head: Head,
    problem: (found: Problem) => void,
  ) {
    const entries = journal?.entries ?? [];
    this.#path = journal?.path ?? "";
    this.#waiting = new Map(entries.map(({ index, bytes }) => [index, bytes]));
    this.#first = entries[0]?.index;
    this.#head = head;
    this.#problem = problem;
  }

  check(index: number, bytes: Uint8Array): void {
    const journaled = this.#waiting.get(index);
    if (journaled === undefined || Buffer.compare(journaled, bytes) === 0) return;
    this.#problem({ key: this.#path, entry: index, what: "the log has another entry than the one journaled here" });
  }

  end(): void {
    if (this.#first === undefined || this.#first <= this.#head.size) return;
    const what = `the log ends at entry ${this.#head.size}, and the journal goes on from ${this.#first}: it was cut short`;
    this.#problem({ key: this.#path, what });
  }
}
