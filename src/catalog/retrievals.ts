import type { DatabaseSync } from "node:sqlite";
import type { Entry } from "../audit/entry.ts";
import { type Statement, statement } from "./statement.ts";

/** Approved requests that were used for a retrieval: one approval is valid for one bag. */
export class Retrievals {
  readonly #approved: Statement;
  readonly #preparedFor: Statement;

  constructor(db: DatabaseSync) {
    this.#approved = statement(db, "INSERT OR IGNORE INTO approved VALUES (?, ?, ?)");
    this.#preparedFor = statement(db, "SELECT run, entry FROM approved WHERE request = ?");
  }

  /** Within the catalog's transaction. */
  apply(index: number, entry: Entry): void {
    if (entry.type === "retrieval.prepared" && entry.request !== undefined)
      this.#approved.run(entry.request, entry.run, index);
  }

  /** The retrieval that used a request, by the request's SHA-256: its run, and its first entry. */
  preparedFor(request: string): { run: string; entry: number } | undefined {
    return this.#preparedFor.get(request) as { run: string; entry: number } | undefined;
  }
}
