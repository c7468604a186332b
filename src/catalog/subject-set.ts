import { DatabaseSync } from "node:sqlite";
import { type Statement, statement } from "./statement.ts";

/**
 * Subjects that a walk of the source met. There may be millions, so they are in a file that lasts as long as the
 * process.
 */
export class SubjectSet {
  readonly #db: DatabaseSync;
  readonly #add: Statement;
  readonly #has: Statement;

  constructor() {
    // Without a name, SQLite uses a file that disappears with the process.
    this.#db = new DatabaseSync("");
    this.#db.exec("PRAGMA journal_mode = OFF; CREATE TABLE met (subject TEXT PRIMARY KEY) WITHOUT ROWID");
    this.#add = statement(this.#db, "INSERT OR IGNORE INTO met VALUES (?)");
    this.#has = statement(this.#db, "SELECT 1 FROM met WHERE subject = ?");
  }

  add(subjects: readonly string[]): void {
    this.#db.exec("BEGIN");
    for (const subject of subjects) this.#add.run(subject);
    this.#db.exec("COMMIT");
  }

  has(subject: string): boolean {
    return this.#has.get(subject) !== undefined;
  }

  close(): void {
    this.#db.close();
  }
}
