import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { decodeEntry, type Entry, type RecordStored, type StoredFile } from "../audit/entry.ts";
import type { AuditLog, Head, LogEntry } from "../audit/log.ts";
import { leafHash } from "../audit/merkle.ts";
import { SignedLog } from "../audit/signed-log.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import { makePrivateFolder } from "../io/private-folder.ts";
import { fileFolder, parseKey } from "../vault/layout.ts";
import { subjectOf, within } from "./keys.ts";
import { Life } from "./life.ts";
import { Locks } from "./locks.ts";
import { Numbers } from "./numbers.ts";
import { Objects } from "./objects.ts";
import { Pieces } from "./pieces.ts";
import { SCHEMA, TABLES } from "./schema.ts";
import { Seen } from "./seen.ts";
import { isDamage, stateError, statement } from "./statement.ts";
import { comparable } from "./time.ts";

/** What is known of a subject without opening anything. */
export interface Known {
  /** The newest version kept. */
  readonly version: string;
  /** What the provider said last, as a version: equal means nothing changed. Null after it was gone. */
  readonly listed: string | null;
  readonly gone: string | null;
  /** Files of that version that the provider withheld. */
  readonly withheld: number;
  /** The entry of the log that stored it: no two subjects have the same. */
  readonly entry: number;
  /** Complete walks in a row that did not list it. */
  readonly missed: number;
}

/** An entry of the log; `entry` saves reading what this process has just written. */
export interface Applicable extends LogEntry {
  readonly entry?: Entry;
}

/** A sealed record, as the log tells of it. Times are RFC 3339 UTC. */
export interface CatalogRecord {
  readonly version: string;
  readonly versionId: string;
  readonly lockedUntil: string;
  readonly lockMode: "governance" | "compliance";
  readonly updated: string;
  readonly stored: string;
  readonly size: number;
  readonly sha256: string;
}

/** A file the vault holds, as the log describes it; `storedWith` names the version it came with. */
export interface CatalogFile extends StoredFile {
  readonly storedWith: string;
  readonly lockMode: "governance" | "compliance";
}

/**
 * What the vault holds, in SQLite on this machine: derived from the audit log entry by entry, and disposable. What is
 * not from the log (`listed`, `missed`) saves requests; losing it loses nothing.
 */
export class Catalog {
  readonly life: Life;
  readonly seen: Seen;
  readonly objects: Objects;
  readonly locks: Locks;
  readonly pieces: Pieces;
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  #size: number;
  /** Whom the walk has met, by `Known.entry`: in memory, since a walk that is broken off says nothing. */
  #met = new Numbers();

  private constructor(db: DatabaseSync) {
    this.#db = db;
    this.#statements = prepare(db);
    this.life = new Life(db);
    this.seen = new Seen(db);
    this.objects = new Objects(db);
    this.locks = new Locks(db);
    this.pieces = new Pieces(db);
    this.#size = (db.prepare("SELECT size FROM log").get() as { size: number }).size;
  }

  /** Opens the catalog at `path`; one that is absent, damaged, of another schema or of another log begins empty. */
  static open(path: string, origin: string): Catalog {
    try {
      const db = connect(path);
      const head = currentHead(db);
      if (head?.schema === SCHEMA && head.origin === origin && isSound(db)) return new Catalog(db);
      db.close();
      return Catalog.empty(path, origin);
    } catch (error) {
      if (isDamage(error)) return Catalog.empty(path, origin);
      throw stateError(error);
    }
  }

  /** For whoever only looks, while another may write it. Undefined where there is none, or none to be used. */
  static peek(path: string, origin: string): Catalog | undefined {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path, { readOnly: true });
      const head = currentHead(db);
      if (head?.schema === SCHEMA && head.origin === origin) return new Catalog(db);
    } catch {
      // It is made anew by whoever may write it.
    }
    db?.close();
    return undefined;
  }

  static empty(path: string, origin: string): Catalog {
    return Catalog.#make(path, origin, DURABLE);
  }

  /** A catalog in memory's stead: at `path`, gone when closed. Of a crash it need survive nothing. */
  static temporary(path: string, origin: string): Catalog {
    const catalog = Catalog.#make(path, origin, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");
    // The open file lives on without its name, and goes with the process, however that ends.
    rmSync(path, { force: true });
    return catalog;
  }

  static #make(path: string, origin: string, pragmas: string): Catalog {
    try {
      for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
      const db = connect(path, pragmas);
      db.exec(`BEGIN; ${TABLES} COMMIT`);
      db.prepare("INSERT INTO log VALUES (0, ?, ?, 0, NULL, 1)").run(SCHEMA, origin);
      return new Catalog(db);
    } catch (error) {
      throw stateError(error);
    }
  }

  /** Log entries applied so far. */
  get size(): number {
    return this.#size;
  }

  /**
   * Whether the log has, where this catalog ends, the entry it ends with: false for an older or another history. Throws
   * `unverified` where the log's tiles are not those that the head signs.
   */
  async follows(log: AuditLog, head: Pick<Head, "size" | "root">): Promise<boolean> {
    if (this.#size === 0) return true;
    if (this.#size > head.size) return false;
    const { leaf } = statement(this.#db, "SELECT leaf FROM log").get() as { leaf: Uint8Array };
    return Buffer.compare(await new SignedLog(log, head).leaf(this.#size - 1), leaf) === 0;
  }

  /** Applies the next entries of the log, in one transaction. */
  apply(entries: readonly Applicable[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#transaction(() => {
      for (const { index, bytes, entry = this.#decode(index, bytes) } of entries) {
        if (index !== this.#size)
          throw new HoldfastError("internal", `entry ${index} was given to a catalog of ${this.#size}`);
        if (entry) this.#applyOne(index, entry);
        this.#size += 1;
      }
      this.#statements.advance.run(this.#size, leafHash(last.bytes));
    });
  }

  /** One entry that does not parse must not keep the others from being known. `verify` says what is wrong with it. */
  #decode(index: number, bytes: Uint8Array): Entry | null {
    try {
      return decodeEntry(bytes);
    } catch (error) {
      if (!hasCode(error, "malformed")) throw error;
      this.#statements.insertUnreadable.run(index);
      return null;
    }
  }

  /** How many entries of the log could not be read, and the first of them. */
  unreadable(): { readonly count: number; readonly first: number | null } {
    return this.#statements.unreadable.get() as { count: number; first: number | null };
  }

  /** For whoever checks a log: applies the entries that could be read, wherever they stand. */
  applyKnown(entries: Iterable<{ readonly index: number; readonly entry: Entry }>): void {
    this.#transaction(() => {
      for (const { index, entry } of entries) this.#applyOne(index, entry);
    });
  }

  #applyOne(index: number, logged: Entry): void {
    const entry = logged.type === "record.stored" ? this.whole(logged) : logged;
    if ("subject" in entry) this.#statements.insertMention.run(entry.subject, index);
    if ("subjects" in entry) for (const subject of entry.subjects) this.#statements.insertMention.run(subject, index);
    if (entry.type === "record.stored") this.#applyStored(index, entry);
    if (entry.type === "record.files") {
      const { run, subject, version, files } = entry;
      this.#statements.insertAnnounced.run(subject, run, version, index, JSON.stringify(files));
    }
    if (entry.type === "lock.extended") {
      for (const { key, versionId } of entry.objects) {
        const name = parseKey(key);
        if (name?.kind === "record")
          this.#statements.recordLock.run(
            ...[comparable(entry.lockedUntil), entry.lockMode, name.subject, name.version, versionId],
          );
        else this.#statements.fileLock.run(comparable(entry.lockedUntil), entry.lockMode, key, versionId);
      }
    }
    if (entry.type === "run.started") this.#statements.clean.run(0);
    if (entry.type === "run.finished") this.#statements.clean.run(entry.outcome === "done" ? 1 : 0);
    if (entry.type === "record.gone") this.#statements.gone.run(entry.reason, entry.redacted ?? null, entry.subject);
    if (entry.type === "retrieval.prepared" && entry.request !== undefined)
      this.#statements.approved.run(entry.request, entry.run, index);
    this.life.apply(index, entry);
  }

  /** The entry with all its files: those too that the log has in `record.files` entries before it. */
  whole(entry: RecordStored): RecordStored {
    if (entry.moreFiles === undefined) return entry;
    const { run, subject, version } = entry;
    const rows = this.#statements.announced.all(subject, run, version) as { files: string }[];
    return { ...entry, files: [...rows.flatMap(({ files }) => JSON.parse(files) as StoredFile[]), ...entry.files] };
  }

  #applyStored(index: number, entry: RecordStored): void {
    const { subject, version, object, files, lockMode = "governance" } = entry;
    const { insertSubject, insertVersion, insertFile, insertListing, insertLookup } = this.#statements;
    insertSubject.run(subject, version, version, index, entry.withheld);
    this.#met.add(index);
    insertVersion.run(
      ...[subject, version, index, comparable(entry.updated), comparable(entry.time), entry.run],
      ...[object.versionId, object.size, object.sha256],
      ...[comparable(entry.lockedUntil), lockMode, entry.withheld, files.length],
    );
    for (const file of files) {
      if (file.storedWith === undefined) {
        insertFile.run(
          ...[file.key, version, file.versionId, file.size, file.sha256],
          ...[file.type, file.mediaType, comparable(file.lockedUntil), lockMode],
        );
      }
      insertListing.run(file.key, version, file.key);
    }
    // A person may have two document numbers: `document.number` and `document.number/2` are found by the same name.
    for (const [name, token] of Object.entries(entry.lookups)) insertLookup.run(name.split("/")[0]!, token, subject);
    this.#statements.dropAnnounced.run(subject, entry.run, version);
  }

  known(subject: string): Known | undefined {
    return this.#statements.known.get(subject) as Known | undefined;
  }

  file(key: string): CatalogFile | undefined {
    return this.#statements.file.get(key) as CatalogFile | undefined;
  }

  /** All versions of a subject, and all its files, as `file` gives one. */
  versions(subject: string): string[] {
    return this.#statements.versions.all(subject).map((row) => (row as { version: string }).version);
  }

  files(subject: string): CatalogFile[] {
    return this.#statements.files.all(...within(fileFolder(subject))) as unknown as CatalogFile[];
  }

  /** Versions of a subject that list its files, by the file's key. */
  listings(subject: string): Map<string, string[]> {
    const rows = this.#statements.listings.all(...within(fileFolder(subject))) as { key: string; version: string }[];
    const groups = Map.groupBy(rows, ({ key }) => key);
    return new Map([...groups].map(([key, of]) => [key, of.map(({ version }) => version)]));
  }

  /** Everybody of whom something is kept, in their order. */
  *subjects(): Generator<string> {
    for (let after = ""; ; ) {
      const page = this.#statements.subjectsAfter.all(after) as { subject: string }[];
      for (const { subject } of page) yield subject;
      if (page.length < SUBJECTS) return;
      after = page.at(-1)!.subject;
    }
  }

  /** Whoever was found by this token when one of their records was stored. */
  find(name: string, token: string): string[] {
    return this.#statements.found.all(name, token).map((row) => (row as { subject: string }).subject);
  }

  /** Subjects with a version that the provider made in a time (RFC 3339 UTC; the end is not in it), so many at most. */
  updatedIn(from: string, to: string, limit: number): string[] {
    return subjects(this.#statements.updatedIn.all(comparable(from), comparable(to), limit));
  }

  /** Versions of a subject, in the order they were stored, each with the last entry that stored it. */
  stored(subject: string): { version: string; entry: number; updated: string }[] {
    return this.#statements.stored.all(subject) as unknown as { version: string; entry: number; updated: string }[];
  }

  /** Log entries that speak of a subject. */
  mentions(subject: string): number[] {
    return this.#statements.mentions.all(subject).map((row) => (row as { entry: number }).entry);
  }

  /** Log entries that speak of one subject, on average. */
  mentionsEach(): number {
    return (this.#statements.mentionsEach.get() as { each: number | null }).each ?? 0;
  }

  /** The retrieval that a request was approved for, by the request's SHA-256: its run, and its first entry. */
  preparedFor(request: string): { run: string; entry: number } | undefined {
    return this.#statements.preparedFor.get(request) as { run: string; entry: number } | undefined;
  }

  /** Objects and bytes stored, by month (`2026-11`), ascending. */
  storedByMonth(): { month: string; objects: number; bytes: number }[] {
    return statement(
      this.#db,
      `SELECT month, SUM(objects) AS objects, SUM(bytes) AS bytes FROM (
         SELECT substr(stored, 1, 7) AS month, COUNT(*) AS objects, SUM(size) AS bytes FROM version GROUP BY month
         UNION ALL
         SELECT substr(stored, 1, 7) AS month, COUNT(*) AS objects, SUM(file.size) AS bytes
         FROM file JOIN version ON version.subject = ${subjectOf("key")} AND version.version = file.version GROUP BY month)
       GROUP BY month ORDER BY month`,
    ).all() as { month: string; objects: number; bytes: number }[];
  }

  /** Whether the newest version kept has files or lookups: it was somebody. */
  hadContent(subject: string): boolean {
    return this.#statements.hadContent.get(subject, subject) !== undefined;
  }

  /** The store's version of an object that the log mentions; undefined for a key it does not. */
  objectVersion(key: string): string | undefined {
    const name = parseKey(key);
    const row =
      name?.kind === "record"
        ? this.#statements.recordObject.get(name.subject, name.version)
        : this.#statements.fileObject.get(key);
    return (row as { versionId: string } | undefined)?.versionId;
  }

  /** The latest change at the provider that is kept (RFC 3339 UTC); undefined where nothing is. */
  newest(): string | undefined {
    return (this.#statements.newest.get() as { updated: string | null }).updated ?? undefined;
  }

  /** Whether the lock of anything lasts longer than a time (RFC 3339 UTC). */
  lockedAfter(time: string): boolean {
    return this.#statements.lockedAfter.get(comparable(time)) !== undefined;
  }

  /** Sealed records of a subject; `stored` is when. Its files: `files`. */
  records(subject: string): CatalogRecord[] {
    return this.#statements.records.all(subject) as unknown as CatalogRecord[];
  }

  hasVersion(subject: string, version: string): boolean {
    return this.#statements.hasVersion.get(subject, version) !== undefined;
  }

  /** A walk of the whole source begins: what it meets is noted, so that what it missed is known at its end. */
  beginWalk(): void {
    this.#met = new Numbers();
  }

  /** The walk met these. On most nights nothing has to be written for that. */
  noteMet(met: readonly { readonly subject: string; readonly known: Known }[]): void {
    for (const { known } of met) this.#met.add(known.entry);
    const back = met.filter(({ known }) => known.missed > 0 || known.gone !== null);
    if (back.length === 0) return;
    this.#transaction(() => {
      for (const { subject } of back) this.#statements.met.run(subject);
    });
  }

  /** What the list says of a subject, once that is known to be kept. */
  noteListed(subject: string, listed: string): void {
    this.#transaction(() => {
      this.#statements.listed.run(listed, subject);
      this.life.noteDeparted(subject, listed);
    });
  }

  /**
   * After a complete walk: what it did not meet was missed once more. Gives those missed `times` walks in a row that
   * nobody said were gone yet. One walk is no proof, because pages may shift while they are read.
   */
  endWalk(times: number): { subject: string; version: string }[] {
    const missed: { subject: string; version: string; missed: number }[] = [];
    for (const row of this.#statements.present.iterate()) {
      const { entry, ...subject } = row as { subject: string; version: string; missed: number; entry: number };
      if (!this.#met.has(entry)) missed.push(subject);
    }
    if (missed.length === 0) return [];
    this.#transaction(() => {
      for (const { subject } of missed) this.#statements.missed.run(subject);
    });
    return missed.flatMap(({ missed, ...subject }) => (missed + 1 >= times ? [subject] : []));
  }

  /**
   * Whether the last run ended well. If not, objects may lie in the vault that no entry mentions: the next run looks
   * before it stores.
   */
  get clean(): boolean {
    return (statement(this.#db, "SELECT clean FROM log").get() as { clean: number }).clean === 1;
  }

  counts(): { subjects: number; versions: number; files: number; bytes: number } {
    return statement(
      this.#db,
      `SELECT (SELECT COUNT(*) FROM subject) AS subjects, (SELECT COUNT(*) FROM version) AS versions,
                (SELECT COUNT(*) FROM file) AS files,
                (SELECT COALESCE(SUM(size), 0) FROM version) + (SELECT COALESCE(SUM(size), 0) FROM file) AS bytes`,
    ).get() as { subjects: number; versions: number; files: number; bytes: number };
  }

  close(): void {
    this.#db.close();
  }

  #transaction(work: () => void): void {
    const { begin, commit, rollback } = this.#statements;
    const before = this.#size;
    try {
      begin.run();
      work();
      commit.run();
    } catch (error) {
      this.#size = before;
      if (this.#db.isTransaction) rollback.run();
      throw stateError(error);
    }
  }
}

/**
 * Brings the catalog to the end of the log: from where it is if it follows the log, from the beginning otherwise. Every
 * entry is held to the root before it is applied. Throws `unverified` for one that does not belong.
 * @param head the log's size and root, under a checkpoint that was verified
 */
export async function openCatalog(
  path: string,
  log: AuditLog,
  head: Pick<Head, "size" | "root">,
  onEntries?: (done: number, total: number) => void,
): Promise<Catalog> {
  let catalog = Catalog.open(path, log.origin);
  try {
    if (!(await catalog.follows(log, head))) {
      catalog.close();
      catalog = Catalog.empty(path, log.origin);
    }
    await fillCatalog(catalog, log, head, onEntries);
    return catalog;
  } catch (error) {
    catalog.close();
    throw error;
  }
}

/** Applies what the log has beyond a catalog's end, held to the root as above. */
export async function fillCatalog(
  catalog: Catalog,
  log: AuditLog,
  head: Pick<Head, "size" | "root">,
  onEntries?: (done: number, total: number) => void,
): Promise<void> {
  let batch: LogEntry[] = [];
  const apply = (): void => {
    catalog.apply(batch);
    batch = [];
    onEntries?.(catalog.size, head.size);
  };
  for await (const entry of new SignedLog(log, head).entries(catalog.size)) {
    batch.push(entry);
    if (batch.length === 1024) apply();
  }
  if (batch.length > 0) apply();
}

const subjects = (rows: unknown[]): string[] => rows.map((row) => (row as { subject: string }).subject);

const FILE = `SELECT key, object_version AS versionId, size, sha256, type, media_type AS mediaType,
  locked_until || 'Z' AS lockedUntil, lock_mode AS lockMode, version AS storedWith FROM file`;

/** No store shortens or softens a lock: the longest and the hardest that the log tells of holds, in whatever order. */
const HARDER = "CASE WHEN lock_mode = 'compliance' THEN lock_mode ELSE ? END";

/** An object that is logged again keeps the longest and the hardest lock that was promised of it. */
const SAME_OBJECT = `
  locked_until = CASE WHEN object_version = excluded.object_version
    THEN max(locked_until, excluded.locked_until) ELSE excluded.locked_until END,
  lock_mode = CASE WHEN object_version = excluded.object_version AND lock_mode = 'compliance'
    THEN lock_mode ELSE excluded.lock_mode END,
  object_version = excluded.object_version`;

/** Subjects read at once. */
const SUBJECTS = 1000;

type Statements = ReturnType<typeof prepare>;

function prepare(db: DatabaseSync) {
  return {
    begin: statement(db, "BEGIN IMMEDIATE"),
    commit: statement(db, "COMMIT"),
    rollback: statement(db, "ROLLBACK"),
    advance: statement(db, "UPDATE log SET size = ?, leaf = ?"),
    clean: statement(db, "UPDATE log SET clean = ?"),
    known: statement(db, "SELECT version, listed, gone, withheld, entry, missed FROM subject WHERE subject = ?"),
    recordObject: statement(db, "SELECT object_version AS versionId FROM version WHERE subject = ? AND version = ?"),
    fileObject: statement(db, "SELECT object_version AS versionId FROM file WHERE key = ?"),
    recordLock: statement(
      db,
      `UPDATE version SET locked_until = max(locked_until, ?), lock_mode = ${HARDER}
       WHERE subject = ? AND version = ? AND object_version = ?`,
    ),
    fileLock: statement(
      db,
      `UPDATE file SET locked_until = max(locked_until, ?), lock_mode = ${HARDER} WHERE key = ? AND object_version = ?`,
    ),
    lockedAfter: statement(
      db,
      "SELECT 1 FROM version WHERE lock_mode IN ('governance', 'compliance') AND locked_until > ? LIMIT 1",
    ),
    records: statement(
      db,
      `SELECT version, object_version AS versionId, locked_until || 'Z' AS lockedUntil, lock_mode AS lockMode,
         updated || 'Z' AS updated, stored || 'Z' AS stored, size, sha256
       FROM version WHERE subject = ? ORDER BY entry`,
    ),
    hasVersion: statement(db, "SELECT 1 FROM version WHERE subject = ? AND version = ?"),
    hadContent: statement(
      db,
      `SELECT 1 FROM lookup WHERE subject = ?
       UNION SELECT 1 FROM subject JOIN version USING (subject, version) WHERE subject = ? AND version.files > 0 LIMIT 1`,
    ),
    // What was missed or deleted is back; what was redacted stays so until it has content again.
    met: statement(
      db,
      "UPDATE subject SET missed = 0, gone = CASE WHEN gone = 'redacted' THEN gone END WHERE subject = ?",
    ),
    listed: statement(db, "UPDATE subject SET listed = ? WHERE subject = ?"),
    present: statement(db, "SELECT subject, version, missed, entry FROM subject WHERE gone IS NULL ORDER BY subject"),
    missed: statement(db, "UPDATE subject SET missed = missed + 1 WHERE subject = ?"),
    gone: statement(db, "UPDATE subject SET gone = ?, listed = ? WHERE subject = ?"),
    file: statement(db, `${FILE} WHERE key = ?`),
    versions: statement(db, "SELECT version FROM version WHERE subject = ?"),
    files: statement(db, `${FILE} WHERE key BETWEEN ? AND ?`),
    insertSubject: statement(
      db,
      `INSERT INTO subject (subject, version, listed, entry, withheld) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET version = excluded.version, listed = excluded.listed, entry = excluded.entry,
         withheld = excluded.withheld, gone = NULL, missed = 0`,
    ),
    insertVersion: statement(
      db,
      `INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         entry = excluded.entry, updated = excluded.updated, stored = max(stored, excluded.stored), run = excluded.run,
         size = excluded.size, sha256 = excluded.sha256, withheld = excluded.withheld, files = excluded.files,
         ${SAME_OBJECT}`,
    ),
    insertFile: statement(
      db,
      `INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         version = excluded.version, size = excluded.size, sha256 = excluded.sha256, type = excluded.type,
         media_type = excluded.media_type, ${SAME_OBJECT}`,
    ),
    // What was purged since is listed by no version any more.
    insertListing: statement(
      db,
      "INSERT OR IGNORE INTO listing SELECT ?, ? WHERE EXISTS (SELECT 1 FROM file WHERE key = ?)",
    ),
    listings: statement(db, "SELECT key, version FROM listing WHERE key BETWEEN ? AND ?"),
    subjectsAfter: statement(db, `SELECT subject FROM subject WHERE subject > ? ORDER BY subject LIMIT ${SUBJECTS}`),
    insertMention: statement(db, "INSERT OR IGNORE INTO mention VALUES (?, ?)"),
    found: statement(db, "SELECT subject FROM lookup WHERE name = ? AND token = ? ORDER BY subject"),
    newest: statement(db, "SELECT MAX(updated) || 'Z' AS updated FROM version"),
    updatedIn: statement(
      db,
      "SELECT DISTINCT subject FROM version WHERE updated >= ? AND updated < ? ORDER BY subject LIMIT ?",
    ),
    stored: statement(
      db,
      "SELECT version, entry, updated || 'Z' AS updated FROM version WHERE subject = ? ORDER BY entry",
    ),
    mentions: statement(db, "SELECT entry FROM mention WHERE subject = ? ORDER BY entry"),
    mentionsEach: statement(db, "SELECT COUNT(*) * 1.0 / NULLIF(COUNT(DISTINCT subject), 0) AS each FROM mention"),
    insertAnnounced: statement(db, "INSERT OR REPLACE INTO announced VALUES (?, ?, ?, ?, ?)"),
    announced: statement(
      db,
      "SELECT files FROM announced WHERE subject = ? AND run = ? AND version = ? ORDER BY entry",
    ),
    dropAnnounced: statement(db, "DELETE FROM announced WHERE subject = ? AND run = ? AND version = ?"),
    insertUnreadable: statement(db, "INSERT OR REPLACE INTO unreadable VALUES (?)"),
    unreadable: statement(db, "SELECT COUNT(*) AS count, MIN(entry) AS first FROM unreadable"),
    approved: statement(db, "INSERT OR IGNORE INTO approved VALUES (?, ?, ?)"),
    preparedFor: statement(db, "SELECT run, entry FROM approved WHERE request = ?"),
    insertLookup: statement(db, "INSERT OR IGNORE INTO lookup VALUES (?, ?, ?)"),
  };
}

const DURABLE =
  "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA busy_timeout = 5000";

function connect(path: string, pragmas = DURABLE): DatabaseSync {
  makePrivateFolder(dirname(path));
  const db = new DatabaseSync(path);
  db.exec(pragmas);
  return db;
}

function currentHead(db: DatabaseSync): { schema: number; origin: string } | undefined {
  const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'log'").get();
  return (
    table && (db.prepare("SELECT schema, origin FROM log").get() as { schema: number; origin: string } | undefined)
  );
}

/** Some 3 s for a million identities: a damaged page met later would end the run, and each one after it. */
function isSound(db: DatabaseSync): boolean {
  return (db.prepare("PRAGMA quick_check(1)").get() as { quick_check: string }).quick_check === "ok";
}
