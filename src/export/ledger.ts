import { setImmediate as nextTurn } from "node:timers/promises";
import type { Entry } from "../audit/entry.ts";
import type { AuditWriter } from "../audit/writer.ts";
import type { Applicable, Catalog } from "../catalog/catalog.ts";

/**
 * Logs what was done: the journal first, the catalog after it. Entries reach the catalog in the log's order, those that
 * became durable together in one transaction.
 */
export class Ledger {
  readonly #writer: AuditWriter;
  readonly #catalog: Catalog;
  /** Durable, and not in the catalog yet: it waits for an earlier one, or for others. */
  readonly #ahead = new Map<number, Applicable>();
  #applying: Promise<void> | undefined;

  constructor(writer: AuditWriter, catalog: Catalog) {
    this.#writer = writer;
    this.#catalog = catalog;
  }

  /** When this resolves the entry's work counts as done, and the catalog knows of it. */
  async log(entry: Entry): Promise<void> {
    for (const appended of await this.#writer.append(entry)) this.#ahead.set(appended.index, appended);
    // Those that shared the journal's fsync go on in the same turn: all of them are there in the next.
    this.#applying ??= nextTurn().then(() => {
      this.#applying = undefined;
      this.#apply();
    });
    await this.#applying;
  }

  #apply(): void {
    const ready: Applicable[] = [];
    for (let next = this.#ahead.get(this.#catalog.size); next; next = this.#ahead.get(next.index + 1)) {
      this.#ahead.delete(next.index);
      ready.push(next);
    }
    this.#catalog.apply(ready);
  }
}
