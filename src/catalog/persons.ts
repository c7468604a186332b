import type { DatabaseSync } from "node:sqlite";
import { bytesOf } from "./packing.ts";
import { statement } from "./statement.ts";

/** The numbers of the people that the log mentions. A number is never used for another person. */
export class Persons {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Within the catalog's transaction. `isNew`: the log has not mentioned the person before. */
  number(subject: string): { id: number; isNew: boolean } {
    const known = this.#statements.find.get(subject) as { id: number } | undefined;
    if (known) return { id: known.id, isNew: false };
    return { id: (this.#statements.insert.get(subject) as { id: number }).id, isNew: true };
  }
}

function prepare(db: DatabaseSync) {
  return {
    find: statement(db, `SELECT id FROM person WHERE subject = ${bytesOf()}`),
    insert: statement(db, `INSERT INTO person (subject) VALUES (${bytesOf()}) RETURNING id`),
  };
}
