import { createHash, randomBytes } from "node:crypto";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { EntryPlace } from "./entries.ts";
import { isLeftover } from "./store.ts";

/** Where the entry of an id is: which of the files, and where in it. */
export interface Place extends EntryPlace {
  readonly file: number;
}

/**
 * Where each id's entry is, and what manifests say of each file. There may be millions, so they are in a file without a
 * name, which disappears with the process. Ids and paths are in it as digests with a salt that only this process has.
 */
export class Places {
  readonly #db = new DatabaseSync("");
  readonly #salt = randomBytes(16);
  readonly #put: StatementSync;
  readonly #get: StatementSync;
  readonly #promise: StatementSync;
  readonly #promised: StatementSync;
  readonly #count: StatementSync;
  readonly #below: StatementSync;

  constructor() {
    this.#db.exec(`
      PRAGMA journal_mode = MEMORY;
      PRAGMA synchronous = OFF;
      CREATE TABLE place (id BLOB PRIMARY KEY, file INT, at INT, length INT, line INT) WITHOUT ROWID;
      CREATE TABLE promise (path BLOB PRIMARY KEY, digest TEXT) WITHOUT ROWID;
      CREATE TABLE folder (path BLOB PRIMARY KEY, files INT) WITHOUT ROWID;
    `);
    this.#put = this.#db.prepare("INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?, ?)");
    this.#get = this.#db.prepare("SELECT file, at, length, line FROM place WHERE id = ?");
    this.#promise = this.#db.prepare("INSERT OR REPLACE INTO promise VALUES (?, ?)");
    this.#promised = this.#db.prepare("SELECT digest FROM promise WHERE path = ?");
    this.#count = this.#db.prepare("INSERT INTO folder VALUES (?, 1) ON CONFLICT DO UPDATE SET files = files + 1");
    this.#below = this.#db.prepare("SELECT files FROM folder WHERE path = ?");
  }

  /** Begins what `keep` keeps and `discard` undoes. */
  begin(): void {
    this.#db.exec("BEGIN");
  }

  keep(): void {
    this.#db.exec("COMMIT");
  }

  discard(): void {
    this.#db.exec("ROLLBACK");
  }

  /** The last place of an id counts. */
  put(id: string, { file, at, length, line }: Place): void {
    this.#put.run(this.#key("id", id), file, at, length, line);
  }

  get(id: string): Place | undefined {
    const row = this.#get.get(this.#key("id", id));
    return row && ({ ...row } as unknown as Place);
  }

  isAt(id: string, file: number, at: number): boolean {
    const place = this.get(id);
    return place?.file === file && place.at === at;
  }

  /** How many ids there are. */
  get count(): number {
    return Number(this.#db.prepare("SELECT count(*) AS count FROM place").get()?.count);
  }

  promise(path: string, digest: string): void {
    const isNew = this.promised(path) === undefined;
    this.#promise.run(this.#key("path", path), digest);
    const steps = path.split("/");
    if (!isNew || steps.some(isLeftover)) return;
    for (let depth = 1; depth < steps.length; depth++)
      this.#count.run(this.#key("folder", steps.slice(0, depth).join("/")));
  }

  /** How many files in a folder and below it are promised, without what is no part of a drop. */
  promisedBelow(folder: string): number {
    return Number(this.#below.get(this.#key("folder", folder))?.files ?? 0);
  }

  promised(path: string): string | undefined {
    return this.#promised.get(this.#key("path", path))?.digest as string | undefined;
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #key(kind: string, text: string): Uint8Array {
    return createHash("sha256").update(this.#salt).update(`${kind}\0${text}`).digest().subarray(0, 20);
  }
}
