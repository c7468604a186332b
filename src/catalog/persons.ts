import type { DatabaseSync } from "node:sqlite";
import { bytesOf } from "./packing.ts";
import { statement } from "./statement.ts";

/** The numbers of the people that the log mentions. A number is never used for another person. */
export class Persons {
  readonly #statements: ReturnType<typeof prepare>;
  /** Who was asked for last, since most entries are asked about more than once. */
  #last: { readonly subject: string; readonly id: number | undefined } | undefined;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Undefined for a person that the log has not mentioned before. */
  find(subject: string): number | undefined {
    if (this.#last?.subject !== subject) {
      const known = this.#statements.find.get(subject) as { id: number } | undefined;
      this.#last = { subject, id: known?.id };
    }
    return this.#last.id;
  }

  /** Within the catalog's transaction. `isNew`: the log has not mentioned the person before. */
  number(subject: string): { id: number; isNew: boolean } {
    const known = this.find(subject);
    if (known !== undefined) return { id: known, isNew: false };
    const { id } = this.#statements.insert.get(subject) as { id: number };
    this.#last = { subject, id };
    return { id, isNew: true };
  }

  /** After a transaction that was undone, its people have no numbers. */
  forget(): void {
    this.#last = undefined;
  }
}

function prepare(db: DatabaseSync) {
  return {
    find: statement(db, `SELECT id FROM person WHERE subject = ${bytesOf()}`),
    insert: statement(db, `INSERT INTO person (subject) VALUES (${bytesOf()}) RETURNING id`),
  };
}
