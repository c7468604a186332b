import { DatabaseSync } from "node:sqlite";
import { NumberSet } from "./number-set.ts";
import { type Statement, statement } from "./statement.ts";

/**
 * Subjects that a walk of the source met. There may be millions, so they are in a file that lasts as long as the
 * process.
 */
export class SubjectSet {
  readonly #db: DatabaseSync;
  readonly #add: Statement;
  readonly #has: Statement;
  /** The first digits of its subjects. If it has few subjects, these alone rule out almost everyone else. */
  readonly #beginnings = new NumberSet();

  constructor() {
    // Without a name, SQLite uses a file that disappears with the process.
    this.#db = new DatabaseSync("");
    this.#db.exec("PRAGMA journal_mode = OFF; CREATE TABLE met (subject TEXT PRIMARY KEY) WITHOUT ROWID");
    this.#add = statement(this.#db, "INSERT OR IGNORE INTO met VALUES (?)");
    this.#has = statement(this.#db, "SELECT 1 FROM met WHERE subject = ?");
  }

  add(subjects: readonly string[]): void {
    this.#db.exec("BEGIN");
    for (const subject of subjects) {
      this.#add.run(subject);
      this.#beginnings.add(beginning(subject));
    }
    this.#db.exec("COMMIT");
  }

  has(subject: string): boolean {
    return this.#beginnings.has(beginning(subject)) && this.#has.get(subject) !== undefined;
  }

  close(): void {
    this.#db.close();
  }
}

/** One of a million: all of them take 131 kB. */
function beginning(subject: string): number {
  return Number.parseInt(subject.slice(0, 5), 16);
}
