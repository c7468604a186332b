import type { DatabaseSync } from "node:sqlite";
import type { Catalog } from "../catalog/catalog.ts";
import type { CatalogObject } from "../catalog/objects.ts";
import { scratch } from "../catalog/scratch.ts";
import { statement } from "../catalog/statement.ts";

/**
 * Objects of which a later entry stored the same key again. What the log promised of them still matters: an object
 * that was lost counts as renewed, and what was locked may not be purged before that lock is over.
 */
export class Superseded {
  readonly #db: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(path: string) {
    this.#db = scratch(path, TABLE);
    this.#statements = prepare(this.#db);
  }

  add({ key, versionId, size, sha256, lockedUntil, lockMode, entry, stored }: CatalogObject): void {
    this.#statements.add.run(key, versionId, size, sha256, lockedUntil, lockMode, entry, stored);
  }

  /** A lock that is extended after that counts too. */
  extend(key: string, versionId: string, lockedUntil: string, lockMode: CatalogObject["lockMode"]): void {
    this.#statements.extend.run(lockedUntil, lockMode, key, versionId);
  }

  /** Earlier versions of one key that have not been purged. */
  of(key: string): CatalogObject[] {
    return this.#statements.of.all(key) as unknown as CatalogObject[];
  }

  /** A purge takes every version of a key. */
  drop(key: string): void {
    this.#statements.drop.run(key);
  }

  all(): Iterable<CatalogObject> {
    return this.#statements.all.iterate() as Iterable<CatalogObject>;
  }

  close(): void {
    this.#db.close();
  }
}

const TABLE = `CREATE TABLE superseded (
  key TEXT NOT NULL, versionId TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL,
  lockedUntil TEXT NOT NULL, lockMode TEXT NOT NULL, entry INTEGER, stored TEXT,
  PRIMARY KEY (key, versionId)) STRICT, WITHOUT ROWID`;

function prepare(db: DatabaseSync) {
  return {
    // Two versions may be logged again in turn: the longest and the hardest lock of each stays.
    add: statement(
      db,
      `INSERT INTO superseded VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         size = excluded.size, sha256 = excluded.sha256, entry = excluded.entry, stored = excluded.stored,
         lockedUntil = max(lockedUntil, excluded.lockedUntil),
         lockMode = CASE WHEN lockMode = 'compliance' THEN lockMode ELSE excluded.lockMode END`,
    ),
    extend: statement(
      db,
      `UPDATE superseded SET lockedUntil = max(lockedUntil, ?),
         lockMode = CASE WHEN lockMode = 'compliance' THEN lockMode ELSE ? END WHERE key = ? AND versionId = ?`,
    ),
    of: statement(db, "SELECT * FROM superseded WHERE key = ?"),
    drop: statement(db, "DELETE FROM superseded WHERE key = ?"),
    all: statement(db, "SELECT * FROM superseded"),
  };
}

/** All that the log promises of a key, the present version first. */
export function promisedOf(
  of: { readonly index: Catalog; readonly superseded: Superseded },
  key: string,
): CatalogObject[] {
  const present = of.index.objects.get(key);
  return [...(present ? [present] : []), ...of.superseded.of(key)];
}
