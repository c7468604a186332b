import type { DatabaseSync } from "node:sqlite";
import type { Catalog } from "../catalog/catalog.ts";
import { scratch } from "../catalog/scratch.ts";
import { statement } from "../catalog/statement.ts";
import type { ReadRecord } from "../record/read.ts";

/**
 * Compares what sealed records say about their files with the files, if both are opened. They come in any order, and
 * there may be millions, so they are kept on disk until everything was read.
 */
export class PlainDigests {
  readonly #db: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(path: string) {
    this.#db = scratch(path, TABLES);
    this.#statements = prepare(this.#db);
  }

  /** A record only describes files stored before it: a file stored again later may differ. */
  noteRecord(index: Catalog, { files }: ReadRecord, entry: number): void {
    for (const { key, sha256 } of files) {
      const stored = index.objects.get(key)?.entry ?? null;
      if (sha256 !== null && stored !== null && stored <= entry) this.#statements.said.run(key, sha256, entry);
    }
  }

  noteFile(key: string, sha256: string): void {
    this.#statements.found.run(key, sha256);
  }

  /** Files that differ from what a record says about them, with the record's entry. */
  differing(): Iterable<{ readonly key: string; readonly entry: number }> {
    return this.#statements.differing.iterate() as Iterable<{ key: string; entry: number }>;
  }

  close(): void {
    this.#db.close();
  }
}

const TABLES = `
  CREATE TABLE said (key TEXT NOT NULL, sha256 TEXT NOT NULL, entry INTEGER NOT NULL,
    PRIMARY KEY (key, sha256)) STRICT, WITHOUT ROWID;
  CREATE TABLE found (key TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT, WITHOUT ROWID;`;

function prepare(db: DatabaseSync) {
  return {
    said: statement(db, "INSERT OR IGNORE INTO said VALUES (?, ?, ?)"),
    found: statement(db, "INSERT OR REPLACE INTO found VALUES (?, ?)"),
    differing: statement(
      db,
      "SELECT said.key, said.entry FROM said JOIN found USING (key) WHERE said.sha256 <> found.sha256 ORDER BY said.key",
    ),
  };
}
