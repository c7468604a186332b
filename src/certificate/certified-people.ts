import type { DatabaseSync } from "node:sqlite";
import { scratch } from "../catalog/scratch.ts";
import { statement } from "../catalog/statement.ts";

/** Whom a certificate is of, and whom its entries speak of: in a file, so that memory does not grow with them. */
export class CertifiedPeople implements Disposable {
  readonly #db: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(path: string) {
    this.#db = scratch(path, TABLES);
    this.#statements = prepare(this.#db);
  }

  destroyed(subject: string): void {
    this.#statements.destroyed.run(subject);
  }

  isDestroyed(subject: string): boolean {
    return this.#statements.isDestroyed.get(subject) !== undefined;
  }

  get count(): number {
    return (this.#statements.count.get() as { count: number }).count;
  }

  spokenOf(subject: string, entry: number): void {
    this.#statements.spokenOf.run(subject, entry);
  }

  /** The first entry that speaks of someone of whom nothing was destroyed. */
  stranger(): number | undefined {
    return (this.#statements.stranger.get() as { entry: number | null }).entry ?? undefined;
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

const TABLES = `
  CREATE TABLE destroyed (subject TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE spoken (subject TEXT PRIMARY KEY, entry INTEGER NOT NULL) STRICT, WITHOUT ROWID;`;

function prepare(db: DatabaseSync) {
  return {
    destroyed: statement(db, "INSERT OR IGNORE INTO destroyed VALUES (?)"),
    isDestroyed: statement(db, "SELECT 1 FROM destroyed WHERE subject = ?"),
    count: statement(db, "SELECT COUNT(*) AS count FROM destroyed"),
    spokenOf: statement(db, "INSERT OR IGNORE INTO spoken VALUES (?, ?)"),
    stranger: statement(
      db,
      "SELECT MIN(entry) AS entry FROM spoken WHERE NOT EXISTS (SELECT 1 FROM destroyed WHERE destroyed.subject = spoken.subject)",
    ),
  };
}
