import { join } from "node:path";
import type { LogAt } from "../audit/entries.ts";
import { decodeEntry } from "../audit/entry.ts";
import type { LogEntry } from "../audit/log.ts";
import { SignedLog } from "../audit/signed-log.ts";
import { scratch } from "../catalog/scratch.ts";
import { statement } from "../catalog/statement.ts";
import { comparableTime } from "../catalog/time.ts";
import { CertifiedPeople } from "./certified-people.ts";
import { type Replayed, TRAIL } from "./trail.ts";

export interface Logged extends Replayed {
  readonly bytes: Uint8Array;
}

/**
 * What the log says of those whom some runs purged, and of the rules, up to the last of these purges. The log is read
 * several times, and held in memory at no time. Each entry is held to the head before it is used.
 */
export class RunEntries implements Disposable {
  /** The runs, in the order of their first purge. */
  readonly runs: readonly string[];
  readonly #at: LogAt;
  readonly #met: CertifiedPeople;
  readonly #last: number;
  readonly #locks: LastLocks;

  private constructor(at: LogAt, met: CertifiedPeople, runs: readonly string[], last: number, locks: LastLocks) {
    this.#at = at;
    this.#met = met;
    this.runs = runs;
    this.#last = last;
    this.#locks = locks;
  }

  /**
   * @param runs those that are asked for; what destroyed nothing is left out. Undefined where none destroyed anything.
   * @param folder where files of its own may be made, for the while
   */
  static async find(at: LogAt, runs: ReadonlySet<string>, folder: string): Promise<RunEntries | undefined> {
    const met = new CertifiedPeople(join(folder, ".met"));
    const locks = new LastLocks(join(folder, ".locks"));
    const found = new Set<string>();
    let last = -1;
    for await (const { index, bytes } of entriesWith(at, '"record.purged"')) {
      const entry = decodeEntry(bytes);
      if (entry?.type !== "record.purged" || !runs.has(entry.run)) continue;
      found.add(entry.run);
      met.destroyed(entry.subject);
      last = index;
    }
    const entries = new RunEntries(at, met, [...found], last, locks);
    if (found.size > 0) {
      await entries.#readLocks();
      return entries;
    }
    entries[Symbol.dispose]();
    return undefined;
  }

  async #readLocks(): Promise<void> {
    for await (const { index, bytes } of entriesWith(this.#at, '"lock.extended"', this.#last)) {
      if (!this.#speaks(bytes)) continue;
      const entry = decodeEntry(bytes);
      if (entry?.type !== "lock.extended") continue;
      for (const { key, versionId } of entry.objects) this.#locks.add(key, versionId, index, entry.lockedUntil);
    }
    this.#locks.end();
  }

  /** In the log's order. */
  async *all(): AsyncGenerator<Logged, void, undefined> {
    let resumed: (Logged & { readonly end: number }) | undefined;
    for await (const { index, bytes } of entriesWith(this.#at, undefined, this.#last)) {
      if (!this.#speaks(bytes)) continue;
      const entry = decodeEntry(bytes);
      if (entry === null || (entry.type === "lock.extended" && !this.#locks.isTelling(index))) continue;
      if (entry.type === "journal.resumed") {
        resumed = { index, entry, bytes, end: index + entry.count };
        continue;
      }
      // Without it, what was logged again gives a purge before it the look of one that was dated ahead.
      if (resumed && index <= resumed.end) yield { index: resumed.index, entry: resumed.entry, bytes: resumed.bytes };
      resumed = undefined;
      yield { index, entry, bytes };
    }
  }

  /** People of whom something was destroyed. */
  get people(): number {
    return this.#met.count;
  }

  /** Without all that `decodeEntry` checks: most entries are of others. */
  #speaks(bytes: Uint8Array): boolean {
    try {
      const { type, subject } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown>;
      if (!(TRAIL as ReadonlySet<unknown>).has(type)) return false;
      if (type === "policy.changed" || type === "journal.resumed") return true;
      return typeof subject === "string" && this.#met.isDestroyed(subject);
    } catch {
      return false; // verify names what does not parse.
    }
  }

  [Symbol.dispose](): void {
    this.#met[Symbol.dispose]();
    this.#locks[Symbol.dispose]();
  }
}

/** Entries up to `last` that contain a text: a cheap look before a costly one. */
async function* entriesWith(
  { log, head }: LogAt,
  text: string | undefined,
  last = Number.POSITIVE_INFINITY,
): AsyncGenerator<LogEntry, void, undefined> {
  for await (const entry of new SignedLog(log, head).entries(0)) {
    if (entry.index > last) return;
    if (text === undefined || Buffer.from(entry.bytes).includes(text)) yield entry;
  }
}

/**
 * Nightly runs extend a lock dozens of times: of those entries the last and the longest tell all there is to tell of an
 * object.
 */
class LastLocks implements Disposable {
  readonly #db: ReturnType<typeof scratch>;
  readonly #add: ReturnType<typeof statement>;
  readonly #telling: ReturnType<typeof statement>;

  constructor(path: string) {
    this.#db = scratch(
      path,
      `CREATE TABLE lock (key TEXT NOT NULL, version TEXT NOT NULL, last INTEGER NOT NULL, longest INTEGER NOT NULL,
         until TEXT NOT NULL, PRIMARY KEY (key, version)) STRICT, WITHOUT ROWID;
       CREATE TABLE telling (entry INTEGER PRIMARY KEY) STRICT;`,
    );
    this.#add = statement(
      this.#db,
      `INSERT INTO lock VALUES (?1, ?2, ?3, ?3, ?4) ON CONFLICT DO UPDATE SET last = excluded.last,
         longest = CASE WHEN excluded.until > until THEN excluded.longest ELSE longest END,
         until = max(until, excluded.until)`,
    );
    this.#telling = statement(this.#db, "SELECT 1 FROM telling WHERE entry = ?");
  }

  add(key: string, versionId: string, entry: number, until: string): void {
    this.#add.run(key, versionId, entry, comparableTime(until));
  }

  end(): void {
    statement(this.#db, "INSERT INTO telling SELECT last FROM lock UNION SELECT longest FROM lock").run();
  }

  isTelling(entry: number): boolean {
    return this.#telling.get(entry) !== undefined;
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
