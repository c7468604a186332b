import type { DatabaseSync } from "node:sqlite";
import { decodeEntry, type Entry } from "../audit/entry.ts";
import type { LogEntry } from "../audit/log.ts";
import { leafHash } from "../audit/merkle.ts";
import type { SignedLog } from "../audit/signed-log.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import { completeTables, emptyTables, fleetingTables, openTables, peekTables, tablesToBuild } from "./database.ts";
import { Holds } from "./holds.ts";
import { KeptRecords } from "./kept.ts";
import { DueLocks } from "./locks.ts";
import { Notes } from "./notes.ts";
import { Objects } from "./objects.ts";
import { Persons } from "./persons.ts";
import { Pieces } from "./pieces.ts";
import { Purges } from "./purges.ts";
import { Relationships } from "./relationships.ts";
import { Retrievals } from "./retrievals.ts";
import { Roster } from "./roster.ts";
import { Runs } from "./runs.ts";
import { Seen } from "./seen.ts";
import { Sources } from "./sources.ts";
import { statement } from "./statement.ts";
import { StoredEntries } from "./stored.ts";
import { Subjects } from "./subjects.ts";
import { Totals } from "./totals.ts";
import { oneTransaction, type Transaction, transactions } from "./transaction.ts";
import { closeInOrder } from "./untouched.ts";
import { Walks } from "./walk.ts";
import { Words } from "./words.ts";

/** An entry of the log. With `entry`, an entry that this process has just written need not be parsed again. */
export interface Applicable extends LogEntry {
  readonly entry?: Entry;
}

/**
 * What the vault holds, in SQLite on this machine. It is derived from the audit log, entry by entry, and can be
 * deleted. What is not from the log (`walk`, `pieces`, hints in the tables) only saves requests.
 */
export class Catalog {
  readonly subjects: Subjects;
  readonly kept: KeptRecords;
  readonly objects: Objects;
  readonly relationships: Relationships;
  readonly holds: Holds;
  readonly notes: Notes;
  readonly purges: Purges;
  readonly locks: DueLocks;
  readonly pieces: Pieces;
  readonly seen: Seen;
  readonly walk: Walks;
  readonly retrievals: Retrievals;
  readonly runs: Runs;
  readonly sources: Sources;
  readonly roster: Roster;
  readonly totals: Totals;
  readonly #db: DatabaseSync;
  readonly #words: Words;
  readonly #persons: Persons;
  readonly #stored: StoredEntries;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #transaction: Transaction;
  /** Of a catalog that stays after this process. */
  readonly #file: string | undefined;
  #size: number;

  private constructor(db: DatabaseSync, file?: string, transaction?: Transaction) {
    this.#db = db;
    this.#file = file;
    this.#statements = prepare(db);
    this.#transaction = transaction ?? transactions(db, () => this.#forget());
    this.#words = new Words(db);
    this.#persons = new Persons(db);
    this.#stored = new StoredEntries(db, this.#words, this.#persons);
    this.subjects = new Subjects(db);
    this.kept = new KeptRecords(db);
    this.objects = new Objects(db);
    this.relationships = new Relationships(db);
    this.holds = new Holds(db);
    this.notes = new Notes(db);
    this.purges = new Purges(db);
    this.locks = new DueLocks(db);
    this.pieces = new Pieces(db);
    this.seen = new Seen(db);
    this.retrievals = new Retrievals(db);
    this.runs = new Runs(db);
    this.sources = new Sources(db, this.#words);
    this.roster = new Roster(db);
    this.totals = new Totals(db);
    this.walk = new Walks(db, this.#transaction, this.relationships);
    this.#size = this.end().size;
  }

  /** Opens the catalog at `path`. It starts empty if it is missing, damaged, of another schema or of another log. */
  static open(path: string, origin: string): Catalog {
    return new Catalog(openTables(path, origin), path);
  }

  /** Opens a catalog for reading, while another process may write it. Undefined if it is missing or unusable. */
  static peek(path: string, origin: string): Catalog | undefined {
    const db = peekTables(path, origin);
    return db && new Catalog(db);
  }

  static empty(path: string, origin: string): Catalog {
    return new Catalog(emptyTables(path, origin), path);
  }

  /** A temporary catalog at `path`, deleted when closed. It need not survive a crash. */
  static temporary(path: string, origin: string): Catalog {
    return new Catalog(fleetingTables(path, origin, true));
  }

  /** The same for a check that reads everything once: filled in less time, but slow to find single people or locks in. */
  static unindexed(path: string, origin: string): Catalog {
    return new Catalog(fleetingTables(path, origin, false));
  }

  /** Fills an empty catalog at `path` from the beginning of the log: in one transaction, so only all of it counts. */
  static async build(path: string, origin: string, fill: (catalog: Catalog) => Promise<void>): Promise<void> {
    const db = tablesToBuild(path, origin);
    try {
      const { transaction, commit } = oneTransaction(db);
      await fill(new Catalog(db, undefined, transaction));
      commit();
      completeTables(db, path);
    } catch (error) {
      db.close();
      throw error;
    }
    closeInOrder(db, path);
  }

  /** Log entries applied so far. */
  get size(): number {
    return this.#size;
  }

  /**
   * Whether the log has, at the position where this catalog ends, the same entry: false for an older or another
   * history. Throws `unverified` if the log's tiles do not match the signed head.
   * @param end where it ended before, if another process may have written it since
   */
  async follows(log: SignedLog, { size, leaf } = this.end()): Promise<boolean> {
    if (size === 0) return true;
    if (size > log.head.size) return false;
    return Buffer.compare(await log.leaf(size - 1), leaf!) === 0;
  }

  /** How many entries the file has now, and the hash of the last: another process may be writing it. */
  end(): { size: number; leaf: Uint8Array | null } {
    return this.#statements.end.get() as { size: number; leaf: Uint8Array | null };
  }

  /** Applies the next entries of the log, in one transaction. */
  apply(entries: readonly Applicable[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    let size = this.#size;
    this.#transaction(() => {
      for (const { index, bytes, entry = this.#decode(index, bytes) } of entries) {
        if (index !== size) throw new HoldfastError("internal", `entry ${index} was given to a catalog of ${size}`);
        if (entry) this.#applyOne(index, entry);
        size += 1;
      }
      this.#statements.advance.run(size, leafHash(last.bytes));
    });
    this.#size = size;
  }

  /** An invalid entry must not prevent the others from being read. `verify` reports what is wrong with it. */
  #decode(index: number, bytes: Uint8Array): Entry | null {
    try {
      return decodeEntry(bytes);
    } catch (error) {
      if (!hasCode(error, "malformed")) throw error;
      this.#statements.insertUnreadable.run(index);
      return null;
    }
  }

  /** How many entries of the log were unreadable, and the first of them. */
  unreadable(): { readonly count: number; readonly first: number | null } {
    return this.#statements.unreadable.get() as { count: number; first: number | null };
  }

  /** For a check of a log: applies the readable entries, wherever they are. */
  applyKnown(entries: Iterable<{ readonly index: number; readonly entry: Entry }>): void {
    this.#transaction(() => {
      for (const { index, entry } of entries) this.#applyOne(index, entry);
    });
  }

  /** Whether an entry that was applied is about the person. Nothing else is known of anyone whom none mentions. */
  mentions(subject: string): boolean {
    return this.#persons.find(subject) !== undefined;
  }

  #applyOne(index: number, logged: Entry): void {
    const entry = logged.type === "record.stored" ? this.#stored.whole(logged) : logged;
    if (entry.type === "record.stored") {
      const isNew = this.#stored.store(index, entry);
      this.walk.noteStored(index);
      // What follows changes what earlier entries said of the person.
      if (isNew) return;
    } else this.#stored.apply(index, entry);
    this.runs.apply(entry);
    this.sources.apply(entry);
    this.retrievals.apply(index, entry);
    this.relationships.apply(index, entry);
    this.holds.apply(index, entry);
    this.notes.apply(index, entry);
    this.purges.apply(index, entry);
  }

  #forget(): void {
    this.#words.forget();
    this.#persons.forget();
  }

  close(): void {
    if (this.#file === undefined) this.#db.close();
    else closeInOrder(this.#db, this.#file);
  }
}

function prepare(db: DatabaseSync) {
  return {
    end: statement(db, "SELECT size, leaf FROM log"),
    advance: statement(db, "UPDATE log SET size = ?, leaf = ?"),
    insertUnreadable: statement(db, "INSERT OR REPLACE INTO unreadable VALUES (?)"),
    unreadable: statement(db, "SELECT COUNT(*) AS count, MIN(entry) AS first FROM unreadable"),
  };
}
