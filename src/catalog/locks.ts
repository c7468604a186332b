import type { DatabaseSync } from "node:sqlite";
import { NumberSet } from "./number-set.ts";
import { bytesOf, MODES, personOf, subjectOf } from "./packing.ts";
import { statement } from "./statement.ts";
import { digitsOf } from "./time.ts";

/** Rows read at once. No query stays open while they are processed; reading a page takes a few milliseconds. */
const PAGE = 1_000;

/**
 * Subjects with due locks, page by page, so that a million of them need no more memory than a thousand. The locks may
 * change while the pages are read. Each person appears once, identified by the entry that stored them, which is unique.
 */
export class DueLocks {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Whether any record's lock lasts longer than a time (RFC 3339 UTC). */
  anyAfter(time: string): boolean {
    return this.#statements.anyAfter.get(digitsOf(time)) !== undefined;
  }

  /**
   * Subjects with an object whose lock ends before a time (RFC 3339 UTC): records before files, the earliest end first.
   * @param met subjects to skip; each subject returned is added
   */
  *before(time: string, met = new NumberSet()): Generator<string[], void, undefined> {
    const { records, files } = this.#statements;
    const end = digitsOf(time);
    for (const mode of MODES.keys()) yield* pages((last) => records.all(mode, end, ...from(last)), met);
    for (const mode of MODES.keys()) yield* pages((last) => files.all(mode, end, ...from(last)), met);
  }

  /** The same for objects stored before a time whose lock is in governance mode. */
  *softBefore(time: string, met = new NumberSet()): Generator<string[], void, undefined> {
    const { softRecords, softFiles } = this.#statements;
    const before = digitsOf(time);
    yield* pages((last) => softRecords.all(before, ...from(last)), met);
    yield* pages((last) => softFiles.all(before, ...from(last)), met);
  }

  /**
   * The same for subjects whose relationship ended on a day, with an object whose lock ends before a time. Those that were
   * settled up to that time are not looked at.
   */
  *endedShort(ended: string, time: string, met = new NumberSet()): Generator<string[], void, undefined> {
    const end = digitsOf(time);
    const { ended: of } = this.#statements;
    yield* pages((last) => of.all(ended, time, end, last?.settled ?? "", last?.subject ?? ""), met);
  }

  /** Notes whose locks all last until a time, of those whose relationship ended on a day: the next nights need not look. */
  settle(ended: string, time: string): void {
    this.#statements.settle.run(ended, time, digitsOf(time));
  }

  /** How many records and files have a lock that ends between two times (RFC 3339 UTC); counts no further than `most`. */
  countBetween(from: string, to: string, most: number): number {
    const { countRecords, countFiles } = this.#statements;
    let total = 0;
    for (const counted of [countRecords, countFiles]) {
      for (const mode of MODES.keys()) {
        const row = counted.get(mode, digitsOf(from), digitsOf(to), most - total) as { count: number };
        total += row.count;
      }
    }
    return total;
  }
}

interface Row {
  readonly subject: string;
  /** Where the next page begins: the end of the lock, in digits, the person, the version or file. */
  readonly until: string;
  readonly person: number;
  readonly part: string;
  /** The subject's entry. */
  readonly entry: number | null;
  /** Whether the row matches, in queries whose pages also have other rows. */
  readonly wanted?: number;
  readonly settled?: string;
}

function* pages(read: (last: Row | undefined) => unknown[], met: NumberSet): Generator<string[], void, undefined> {
  for (let last: Row | undefined; ; ) {
    const page = read(last) as Row[];
    const fresh: string[] = [];
    for (const { subject, entry, wanted } of page) {
      if (wanted === 0 || (entry !== null && met.has(entry))) continue;
      if (entry !== null) met.add(entry);
      fresh.push(subject);
    }
    yield fresh;
    if (page.length < PAGE) return;
    last = page.at(-1)!;
  }
}

const from = (last: Row | undefined) => [last?.until ?? "", last?.person ?? 0, last?.part ?? ""];

/** What a page has of an object's person, beside where the next page begins. */
function page(table: "version" | "file", name: "version" | "name"): { rows: string; rest: string } {
  return {
    rows: `SELECT ${subjectOf(`${table}.person`)} AS subject, hex(locked_until) AS until, person, hex(${name}) AS part,
      (SELECT entry FROM subject WHERE subject.person = ${table}.person) AS entry`,
    rest: `(locked_until, person, ${name}) > (${bytesOf()}, ?, ${bytesOf()})
      ORDER BY locked_until, person, ${name} LIMIT ${PAGE}`,
  };
}
const RECORD = page("version", "version");
const FILE = page("file", "name");

/** Whether a person has an object whose lock ends before `?3`. */
function short(person: string): string {
  const of = (table: string) =>
    `EXISTS (SELECT 1 FROM ${table} WHERE ${table}.person = ${person} AND locked_until < ${bytesOf("?3")})`;
  return `(${of("version")} OR ${of("file")})`;
}

function count(table: "version" | "file"): string {
  return `SELECT COUNT(*) AS count FROM
    (SELECT 1 FROM ${table} WHERE lock_mode = ? AND locked_until >= ${bytesOf()} AND locked_until < ${bytesOf()} LIMIT ?)`;
}

function prepare(db: DatabaseSync) {
  const of = (sql: string) => statement(db, sql);
  return {
    anyAfter: of(`SELECT 1 FROM version WHERE lock_mode IN (0, 1) AND locked_until > ${bytesOf()} LIMIT 1`),
    records: of(`${RECORD.rows} FROM version WHERE lock_mode = ? AND locked_until < ${bytesOf()} AND ${RECORD.rest}`),
    files: of(`${FILE.rows} FROM file WHERE lock_mode = ? AND locked_until < ${bytesOf()} AND ${FILE.rest}`),
    softRecords: of(
      `${RECORD.rows}, stored < ${bytesOf()} AS wanted FROM version WHERE lock_mode = 0 AND ${RECORD.rest}`,
    ),
    softFiles: of(
      `${FILE.rows}, EXISTS (SELECT 1 FROM version WHERE version.person = file.person AND stored < ${bytesOf()}) AS wanted
       FROM file WHERE lock_mode = 0 AND ${FILE.rest}`,
    ),
    ended: of(
      `SELECT relationship.subject, settled, subject.entry, ${short("person.id")} AS wanted
       FROM relationship LEFT JOIN person ON person.subject = ${bytesOf("relationship.subject")}
         LEFT JOIN subject ON subject.person = person.id
       WHERE ended = ?1 AND settled < ?2 AND (settled, relationship.subject) > (?4, ?5)
       ORDER BY settled, relationship.subject LIMIT ${PAGE}`,
    ),
    settle: of(
      `UPDATE relationship SET settled = ?2
       WHERE ended = ?1 AND settled < ?2 AND NOT ${short(personOf("relationship.subject"))}`,
    ),
    countRecords: of(count("version")),
    countFiles: of(count("file")),
  };
}
