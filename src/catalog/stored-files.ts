import type { DatabaseSync } from "node:sqlite";
import type { StoredFile } from "../audit/entry.ts";
import { HoldfastError } from "../core/error.ts";
import { type ObjectKey, parseKey } from "../vault/layout.ts";
import { bytesOf, modeNumber, personOf, versionBytes } from "./packing.ts";
import { statement } from "./statement.ts";
import { digitsOf } from "./time.ts";
import type { Words } from "./words.ts";

/** No store shortens or softens a lock: of all locks in the log, the longest and hardest counts, in any order. */
export const EXTENDED = `locked_until = max(locked_until, ${bytesOf()}), lock_mode = max(lock_mode, ${modeNumber()})`;

/** An object that is logged again keeps the longest and hardest lock promised for it. */
export const SAME_OBJECT = `
  locked_until = CASE WHEN object_version = excluded.object_version
    THEN max(locked_until, excluded.locked_until) ELSE excluded.locked_until END,
  lock_mode = CASE WHEN object_version = excluded.object_version
    THEN max(lock_mode, excluded.lock_mode) ELSE excluded.lock_mode END,
  object_version = excluded.object_version`;

/** A version that lists files: of the person with this number, whom the log may not have mentioned before. */
interface Listing {
  readonly id: number;
  readonly isNew: boolean;
  readonly version: string;
  readonly lockMode: string;
}

/** Applies what the log says of files, and which versions list them. */
export class StoredFiles {
  readonly #statements: ReturnType<typeof prepare>;
  readonly #words: Words;

  constructor(db: DatabaseSync, words: Words) {
    this.#statements = prepare(db);
    this.#words = words;
  }

  /** Within the catalog's transaction: a version lists a file. The file's own row says so for one version, further ones have rows of their own. */
  list({ id, isNew, version, lockMode }: Listing, file: StoredFile): void {
    const of = this.#statements;
    const name = nameOf(file.key);
    if (file.storedWith !== undefined) {
      of.listOwn.run(id, name, version);
      of.listFurther.run(version, id, name, version);
      return;
    }
    if (!isNew) of.listFormer.run(id, name, version);
    of.insertFile.run(
      ...[id, name, version, file.versionId, file.size, file.sha256],
      ...[this.#words.number(file.type), this.#words.number(file.mediaType), digitsOf(file.lockedUntil), lockMode],
    );
  }

  /** @param until in digits */
  extend({ subject, file }: ObjectKey & { kind: "file" }, versionId: string, until: string, lockMode: string): void {
    this.#statements.fileLock.run(until, lockMode, subject, file, versionId);
  }
}

function nameOf(key: string): string {
  const name = parseKey(key);
  if (name?.kind !== "file") throw new HoldfastError("internal", "an entry that was checked names no file");
  return name.file;
}

function prepare(db: DatabaseSync) {
  return {
    fileLock: statement(
      db,
      `UPDATE file SET ${EXTENDED} WHERE person = ${personOf()} AND name = ${bytesOf()} AND object_version = ?`,
    ),
    insertFile: statement(
      db,
      `INSERT INTO file VALUES (?, ${bytesOf()}, ${versionBytes()}, 1, ?, ?, ${bytesOf()}, ?, ?, ${bytesOf()},
         ${modeNumber()}) ON CONFLICT DO UPDATE SET
         version = excluded.version, listed = 1, size = excluded.size, sha256 = excluded.sha256, type = excluded.type,
         media_type = excluded.media_type, ${SAME_OBJECT}`,
    ),
    // What the file's row says of the version that it was stored with before.
    listFormer: statement(
      db,
      `INSERT OR IGNORE INTO listing SELECT person, name, version FROM file
       WHERE person = ? AND name = ${bytesOf()} AND listed = 1 AND version <> ${versionBytes()}`,
    ),
    // A file purged in the meantime is not listed by any version.
    listOwn: statement(
      db,
      `UPDATE file SET listed = 1 WHERE person = ? AND name = ${bytesOf()} AND version = ${versionBytes()}`,
    ),
    listFurther: statement(
      db,
      `INSERT OR IGNORE INTO listing SELECT person, name, ${versionBytes("?1")} FROM file
       WHERE person = ?2 AND name = ${bytesOf("?3")} AND version <> ${versionBytes("?4")}`,
    ),
  };
}
