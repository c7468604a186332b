import { setImmediate as nextTurn } from "node:timers/promises";
import type { Entry, Unlogged } from "../audit/entry.ts";
import type { AuditWriter } from "../audit/writer.ts";
import type { Applicable, Catalog } from "../catalog/catalog.ts";
import type { Clock } from "../core/clock.ts";
import { timestamp } from "../core/timestamp.ts";

/** What a run needs to log. Each of its entries contains `run`, its id. */
export interface Logging {
  readonly writer: AuditWriter;
  readonly catalog: Catalog;
  readonly now: Clock;
  readonly run: string;
}

/**
 * Logs what a run did: first in the journal, then in the catalog. The catalog gets entries in the log's order, and
 * those that became durable together in one transaction.
 */
export class Ledger {
  readonly #of: Logging;
  /** Durable entries that are not in the catalog yet: they wait for an earlier one, or for others. */
  readonly #ahead = new Map<number, Applicable>();
  #applying: Promise<void> | undefined;

  constructor(of: Logging) {
    this.#of = of;
  }

  /**
   * When this resolves, the entry's work counts as done and the catalog has it. Returns the entry's index in the log,
   * or several if it was too long for one entry.
   */
  async log(entry: Unlogged<Entry>, at = this.#of.now()): Promise<readonly number[]> {
    const { type, ...fields } = entry;
    const whole = { type, ...fields, time: timestamp(at), run: this.#of.run } as Entry;
    const appended = await this.#of.writer.append(whole);
    for (const each of appended) this.#ahead.set(each.index, each);
    // Entries that shared one fsync of the journal continue in this turn, so in the next turn all of them are here.
    this.#applying ??= nextTurn().then(() => {
      this.#applying = undefined;
      this.#apply();
    });
    await this.#applying;
    return appended.map(({ index }) => index);
  }

  /** Everything logged so far is under a signed checkpoint when this resolves. */
  async flush(): Promise<void> {
    await this.#of.writer.flush();
  }

  #apply(): void {
    const { catalog } = this.#of;
    const ready: Applicable[] = [];
    for (let next = this.#ahead.get(catalog.size); next; next = this.#ahead.get(next.index + 1)) {
      this.#ahead.delete(next.index);
      ready.push(next);
    }
    catalog.apply(ready);
  }
}
