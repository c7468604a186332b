import type { DatabaseSync } from "node:sqlite";
import type { Catalog } from "../catalog/catalog.ts";
import { keysWithin } from "../catalog/keys.ts";
import type { CatalogObject } from "../catalog/objects.ts";
import { scratch } from "../catalog/scratch.ts";
import { statement } from "../catalog/statement.ts";

/**
 * Objects whose key a later entry stored again. The log's promises about them still matter: a lost object counts as
 * renewed, and a locked one must not be purged before that lock ends.
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

  /** A later extension counts too. */
  extend(key: string, versionId: string, lockedUntil: string, lockMode: CatalogObject["lockMode"]): void {
    this.#statements.extend.run(lockedUntil, lockMode, key, versionId);
  }

  /** Earlier versions of a key that have not been purged. */
  of(key: string): CatalogObject[] {
    return this.#statements.of.all(key) as unknown as CatalogObject[];
  }

  /** A purge removes every version of a key. */
  drop(key: string): void {
    this.#statements.drop.run(key);
  }

  /** Those below a prefix, in the order of their keys. */
  under(prefix: string): Iterable<CatalogObject> {
    return this.#statements.under.iterate(...keysWithin(prefix)) as Iterable<CatalogObject>;
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
    // Two versions may be logged alternately: the longest and hardest lock of each counts.
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
    under: statement(db, "SELECT * FROM superseded WHERE key BETWEEN ? AND ? ORDER BY key, versionId"),
  };
}

/** Everything that the log promises about a key, the current version first. */
export function promisedOf(
  of: { readonly index: Catalog; readonly superseded: Superseded },
  key: string,
): CatalogObject[] {
  const present = of.index.objects.get(key);
  return [...(present ? [present] : []), ...of.superseded.of(key)];
}
