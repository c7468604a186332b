import { hash, randomBytes, randomInt } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Entry } from "../audit/entry.ts";
import type { CatalogObject } from "../catalog/objects.ts";
import { scratch } from "../catalog/scratch.ts";
import { statement } from "../catalog/statement.ts";

/** Within so many days, the lock of each object is looked at. */
export const DAYS = 30;
const PERIOD = DAYS * 24 * 3_600_000;
/** Whose turn it is not is looked at all the same with this probability, but no fewer than so many of a vault. */
const SHARE = 0.01;
const LEAST = 1_000;
/** Faulty objects that are remembered. With more, the next run looks at everything. */
const MOST = 10_000;

/** What this machine remembers of the locks that it looked at in a vault. */
export interface LookedAt {
  /** Until when the turns were taken, RFC 3339 UTC, and how many entries the log had. */
  readonly time: string;
  readonly entries: number;
  /** Spreads the turns. Private: who knows it can tell whose turn it is not. */
  readonly salt: string;
  /** Objects that were not as logged. They are looked at again each time. */
  readonly faulty: string[];
}

/**
 * Whose lock is looked at in this run. A listing of S3 does not say how long an object is locked, and a request for each is
 * too many for a large vault. So each object has its turn once in DAYS days, at a moment of its own. Besides, those are
 * looked at that were stored or extended since the last run, that were faulty, and a sample that no one can predict.
 */
export class LockTurns {
  readonly #last: LookedAt | undefined;
  readonly #now: number;
  readonly #salt: string;
  readonly #faulty = new Set<string>();
  readonly #before: ReadonlySet<string>;
  readonly #extended: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;
  /** Most nights extend no one's lock, and then no object needs to be looked up. */
  #wereExtended = false;
  #share = 1;

  /**
   * @param last undefined: everything is looked at
   * @param path for what the log says was extended since, which may be millions
   */
  constructor(last: LookedAt | undefined, now: Temporal.Instant, path: string) {
    this.#now = now.epochMilliseconds;
    const since = last === undefined ? Number.NEGATIVE_INFINITY : Date.parse(last.time);
    this.#last = since <= this.#now && this.#now - since < PERIOD ? last : undefined;
    this.#salt = last?.salt ?? randomBytes(16).toString("hex");
    this.#before = new Set(last?.faulty);
    this.#extended = scratch(path, TABLE);
    this.#statements = prepare(this.#extended);
  }

  /** An entry of the log, in any order. */
  note(index: number, entry: Entry): void {
    if (this.#last === undefined || index < this.#last.entries) return;
    const changed =
      entry.type === "lock.extended" || entry.type === "hold.placed"
        ? entry.objects
        : entry.type === "note.extended"
          ? entry.notes
          : [];
    for (const { key } of changed) {
      this.#statements.add.run(key);
      this.#wereExtended = true;
    }
  }

  /** @param objects in the vault, according to the log */
  begin(objects: number): void {
    this.#share = sampleOf(objects);
  }

  isDue({ key, entry }: Pick<CatalogObject, "key" | "entry">): boolean {
    if (this.#last === undefined || entry === null || entry >= this.#last.entries) return true;
    if (this.#share >= 1 || randomInt(0, 1_000_000) < this.#share * 1_000_000) return true;
    if (this.wasFaulty(key) || this.#hadTurn(key, this.#last)) return true;
    return this.#wereExtended && this.#statements.has.get(key) !== undefined;
  }

  /** Whether the object was not as logged in the last run. */
  wasFaulty(key: string): boolean {
    return this.#before.size > 0 && this.#before.has(key);
  }

  /** Whether the object's moment came since the last run. */
  #hadTurn(key: string, { time }: LookedAt): boolean {
    const phase = (Number.parseInt(hash("sha256", this.#salt + key).slice(0, 12), 16) / 2 ** 48) * PERIOD;
    const turns = (at: number): number => Math.floor((at - phase) / PERIOD);
    return turns(this.#now) > turns(Date.parse(time));
  }

  /** An object that is not as logged. */
  noteFault(key: string): void {
    if (this.#faulty.size <= MOST) this.#faulty.add(key);
  }

  /**
   * What to remember after a whole run; undefined if the next one must look at everything.
   * @param entries in the log
   * @param inventory when the inventory was made that was read instead of taking turns
   */
  after(entries: number, inventory?: Temporal.Instant): LookedAt | undefined {
    if (this.#faulty.size > MOST) return undefined;
    const reached = Math.max(
      Math.min(this.#now, inventory?.epochMilliseconds ?? this.#now),
      this.#last === undefined ? 0 : Date.parse(this.#last.time),
    );
    const time = Temporal.Instant.fromEpochMilliseconds(reached).toString();
    return { time, entries, salt: this.#salt, faulty: [...this.#faulty] };
  }

  close(): void {
    this.#extended.close();
  }
}

/** The share of the objects stored before that a run will look at: those whose turn it is, and the sample. */
export function dueShare(last: LookedAt | undefined, now: Temporal.Instant, objects: number): number {
  const passed = last === undefined ? 1 : (now.epochMilliseconds - Date.parse(last.time)) / PERIOD;
  if (passed < 0 || passed >= 1) return 1;
  return 1 - (1 - passed) * (1 - sampleOf(objects));
}

function sampleOf(objects: number): number {
  return Math.min(1, Math.max(SHARE, LEAST / Math.max(1, objects)));
}

const TABLE = "CREATE TABLE extended (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID";

function prepare(db: DatabaseSync) {
  return {
    add: statement(db, "INSERT OR IGNORE INTO extended VALUES (?)"),
    has: statement(db, "SELECT 1 FROM extended WHERE key = ?"),
  };
}
