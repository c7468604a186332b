import type { Entry } from "../audit/entry.ts";
import type { Journaled } from "../audit/journal.ts";
import type { AuditWriter } from "../audit/writer.ts";
import type { Catalog } from "../catalog/catalog.ts";

/** Logs what was done: the journal first, the catalog after it. Entries reach the catalog in the log's order. */
export class Ledger {
  readonly #writer: AuditWriter;
  readonly #catalog: Catalog;
  /** Durable, and waiting for an earlier one. */
  readonly #ahead = new Map<number, Journaled>();

  constructor(writer: AuditWriter, catalog: Catalog) {
    this.#writer = writer;
    this.#catalog = catalog;
  }

  /** When this resolves the entry's work counts as done. */
  async log(entry: Entry): Promise<void> {
    const journaled = await this.#writer.append(entry);
    this.#ahead.set(journaled.index, journaled);
    const ready: Journaled[] = [];
    for (let next = this.#ahead.get(this.#catalog.size); next; next = this.#ahead.get(next.index + 1)) {
      this.#ahead.delete(next.index);
      ready.push(next);
    }
    this.#catalog.apply(ready);
  }
}
