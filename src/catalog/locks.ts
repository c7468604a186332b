import type { DatabaseSync } from "node:sqlite";
import { isFileOf, subjectOf } from "./keys.ts";
import { NumberSet } from "./number-set.ts";
import { statement } from "./statement.ts";
import { comparable } from "./time.ts";

/** Rows read at once. No query stays open while they are processed; reading a page takes a few milliseconds. */
const PAGE = 1_000;
const MODES = ["governance", "compliance"] as const;

/**
 * Subjects with due locks, page by page, so that a million of them need no more memory than a thousand. The locks may
 * change while the pages are read. Each person appears once, identified by the entry that stored them, which is unique.
 */
export class Locks {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Whether any record's lock lasts longer than a time (RFC 3339 UTC). */
  anyAfter(time: string): boolean {
    return this.#statements.anyAfter.get(comparable(time)) !== undefined;
  }

  /**
   * Subjects with an object whose lock ends before a time (RFC 3339 UTC): records before files, the earliest end first.
   * @param met subjects to skip; each subject returned is added
   */
  *before(time: string, met = new NumberSet()): Generator<string[], void, undefined> {
    const { records, files } = this.#statements;
    const end = comparable(time);
    for (const mode of MODES) yield* pages((last) => records.all(mode, end, ...fromRecord(last)), met);
    for (const mode of MODES) yield* pages((last) => files.all(mode, end, ...fromFile(last)), met);
  }

  /** The same for objects stored before a time whose lock is in governance mode. */
  *softBefore(time: string, met = new NumberSet()): Generator<string[], void, undefined> {
    const { softRecords, softFiles } = this.#statements;
    const before = comparable(time);
    yield* pages((last) => softRecords.all(before, ...fromRecord(last)), met);
    yield* pages((last) => softFiles.all(before, ...fromFile(last)), met);
  }

  /** The same for subjects whose relationship ended on a day, with an object whose lock ends before a time. */
  *endedShort(ended: string, time: string, met = new NumberSet()): Generator<string[], void, undefined> {
    const end = comparable(time);
    yield* pages((last) => this.#statements.ended.all(ended, end, last?.subject ?? ""), met);
  }
}

interface Row {
  readonly subject: string;
  readonly version: string;
  readonly key: string;
  readonly until: string;
  /** The subject's entry. */
  readonly entry: number | null;
  /** Whether the row matches, in queries whose pages also have other rows. */
  readonly wanted?: number;
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

const fromRecord = (last: Row | undefined) => [last?.until ?? "", last?.subject ?? "", last?.version ?? ""];
const fromFile = (last: Row | undefined) => [last?.until ?? "", last?.key ?? ""];

const RECORD = `SELECT subject, version, locked_until AS until,
  (SELECT entry FROM subject WHERE subject.subject = version.subject) AS entry`;
const SUBJECT = subjectOf("key");
const FILE = `SELECT key, ${SUBJECT} AS subject, locked_until AS until,
  (SELECT entry FROM subject WHERE subject.subject = ${SUBJECT}) AS entry`;
const RECORDS = `ORDER BY locked_until, subject, version LIMIT ${PAGE}`;
const FILES = `ORDER BY locked_until, key LIMIT ${PAGE}`;

function prepare(db: DatabaseSync) {
  const of = (sql: string) => statement(db, sql);
  return {
    anyAfter: of("SELECT 1 FROM version WHERE lock_mode IN ('governance', 'compliance') AND locked_until > ? LIMIT 1"),
    records: of(
      `${RECORD} FROM version WHERE lock_mode = ? AND locked_until < ? AND (locked_until, subject, version) > (?, ?, ?) ${RECORDS}`,
    ),
    files: of(`${FILE} FROM file WHERE lock_mode = ? AND locked_until < ? AND (locked_until, key) > (?, ?) ${FILES}`),
    softRecords: of(
      `${RECORD}, stored < ? AS wanted FROM version
       WHERE lock_mode = 'governance' AND (locked_until, subject, version) > (?, ?, ?) ${RECORDS}`,
    ),
    softFiles: of(
      `${FILE}, EXISTS (SELECT 1 FROM version WHERE version.subject = ${SUBJECT} AND stored < ?) AS wanted
       FROM file WHERE lock_mode = 'governance' AND (locked_until, key) > (?, ?) ${FILES}`,
    ),
    ended: of(
      `SELECT relationship.subject, subject.entry, (
         EXISTS (SELECT 1 FROM version WHERE version.subject = relationship.subject AND locked_until < ?2) OR
         EXISTS (SELECT 1 FROM file WHERE locked_until < ?2 AND ${isFileOf("key", "relationship.subject")})) AS wanted
       FROM relationship LEFT JOIN subject USING (subject)
       WHERE ended = ?1 AND relationship.subject > ?3 ORDER BY relationship.subject LIMIT ${PAGE}`,
    ),
  };
}
