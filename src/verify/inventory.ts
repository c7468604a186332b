import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import * as z from "zod";
import type { CatalogObject } from "../catalog/objects.ts";
import { scratch } from "../catalog/scratch.ts";
import { statement } from "../catalog/statement.ts";
import { HoldfastError } from "../core/error.ts";
import { type InventoryManifest, parseInventoryManifest, unusable } from "./inventory-manifest.ts";
import type { InventoryPlace } from "./inventory-place.ts";

/** Rows written in one transaction. */
const BATCH = 10_000;
/** The longest row, in bytes: a key of 1,024 bytes, each encoded as three, and its columns. */
const MAX_ROW = 16_384;

const row = z.object({
  Bucket: z.string(),
  Key: z.string(),
  VersionId: z.string(),
  IsDeleteMarker: z.string(),
  Size: z.string(),
  ObjectLockRetainUntilDate: z.string(),
  ObjectLockMode: z.string(),
  ObjectLockLegalHoldStatus: z.string(),
});
type Row = z.output<typeof row>;

/**
 * The locks of a bucket as S3 Inventory wrote them: what a listing does not say. It proves only its own moment. Rows that
 * say something else than a plain lock (a hold, no lock, a date that does not parse) are left out: the store is asked about
 * those. On disk, because there may be millions.
 */
export class Inventory {
  readonly created: Temporal.Instant;
  readonly #db: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  private constructor(created: Temporal.Instant, db: DatabaseSync) {
    this.created = created;
    this.#db = db;
    this.#statements = prepare(db);
  }

  /**
   * Reads a whole inventory and checks its digests. Throws `usage` if it cannot be used.
   * @param of the vault's bucket and its prefix there
   * @param path for the locks
   */
  static async read(
    place: InventoryPlace,
    of: { readonly bucket: string; readonly prefix: string; readonly now: Temporal.Instant },
    path: string,
    signal: AbortSignal,
  ): Promise<Inventory> {
    const checksum = Buffer.from(await place.read("manifest.checksum")).toString("latin1");
    const manifest = parseInventoryManifest(await place.read("manifest.json"), checksum, of);
    const inventory = new Inventory(manifest.created, scratch(path, TABLE));
    try {
      for (const file of manifest.files) await inventory.#add(place, manifest, file, of, signal);
      return inventory;
    } catch (error) {
      inventory.close();
      throw error;
    }
  }

  async #add(
    place: InventoryPlace,
    { columns }: InventoryManifest,
    { key, md5 }: InventoryManifest["files"][number],
    { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { begin, commit } = this.#statements;
    const hash = createHash("md5");
    let waiting = 0;
    try {
      begin.run();
      for await (const values of rows(await place.stream(key), columns, hash)) {
        if (signal.aborted) throw new HoldfastError("interrupted", "verify was interrupted");
        const read = row.safeParse(values);
        if (!read.success || read.data.Bucket !== bucket) throw unusable(`a row of ${key} is of another bucket`);
        this.#note(read.data, prefix === "" ? "" : `${prefix}/`);
        if (++waiting % BATCH === 0) {
          commit.run();
          begin.run();
        }
      }
      commit.run();
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      throw unusable(`${key} cannot be read`, "Copy the inventory again.", error);
    }
    if (hash.digest("hex") !== md5)
      throw unusable(`${key} does not match the manifest's MD5`, "Copy the inventory again.");
  }

  #note(of: Row, prefix: string): void {
    const key = keyOf(of.Key);
    if (!key.startsWith(prefix) || of.IsDeleteMarker !== "false") return;
    const until = Date.parse(of.ObjectLockRetainUntilDate);
    const mode = of.ObjectLockMode.toLowerCase();
    if (Number.isNaN(until) || (mode !== "governance" && mode !== "compliance")) return;
    if (!/^(off)?$/i.test(of.ObjectLockLegalHoldStatus)) return;
    this.#statements.add.run(key.slice(prefix.length), of.VersionId, Number(of.Size), until, mode);
  }

  /**
   * Whether the inventory has exactly this version with the lock that the log promises. If not, the store must be asked: the
   * lock may be newer than the inventory.
   */
  confirms({ key, versionId, size, lockedUntil, lockMode }: CatalogObject): boolean {
    const found = this.#statements.find.get(key, versionId) as
      | { size: number; until: number; mode: string }
      | undefined;
    if (found === undefined || found.size !== size || found.until !== Date.parse(lockedUntil)) return false;
    return found.mode === lockMode || found.mode === "compliance";
  }

  close(): void {
    this.#db.close();
  }
}

/** The rows of one file, gzip around CSV without a header; its bytes go into `hash`. */
async function* rows(
  bytes: AsyncIterable<Uint8Array>,
  columns: readonly string[],
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<unknown> {
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      hash.update(chunk);
      yield chunk;
    }
  };
  const parser = parse({ columns: [...columns], max_record_size: MAX_ROW });
  // The parser's reader gets every error.
  pipeline(Readable.from(hashed()), createGunzip(), parser, () => {});
  yield* parser as AsyncIterable<unknown>;
}

/** S3 Inventory encodes keys as URLs do in forms. */
function keyOf(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

const TABLE = `CREATE TABLE locks (
  key TEXT NOT NULL, versionId TEXT NOT NULL, size REAL NOT NULL, until INTEGER NOT NULL, mode TEXT NOT NULL,
  PRIMARY KEY (key, versionId)) STRICT, WITHOUT ROWID`;

function prepare(db: DatabaseSync) {
  return {
    begin: statement(db, "BEGIN"),
    commit: statement(db, "COMMIT"),
    add: statement(db, "INSERT OR REPLACE INTO locks VALUES (?, ?, ?, ?, ?)"),
    find: statement(db, "SELECT size, until, mode FROM locks WHERE key = ? AND versionId = ?"),
  };
}
