import type { DatabaseSync } from "node:sqlite";
import { type Bounds, candidates } from "./candidates.ts";
import { bytesOf, hexOf, personOf, subjectOf, wordText } from "./packing.ts";
import { type Marks, remarkable } from "./remarkable.ts";
import { column, statement } from "./statement.ts";
import { digitsOf, versionOf } from "./time.ts";

/** What is known about a subject without opening anything. */
export interface Known {
  /** The newest version kept. */
  readonly version: string;
  /** What the provider last said, as a version: if it is equal, nothing changed. Null after the subject was gone. */
  readonly listed: string | null;
  readonly gone: string | null;
  /** Files of that version that the provider withheld. */
  readonly withheld: number;
  /** The log entry that stored it, unique to the subject. */
  readonly entry: number;
  /** Complete walks in a row that did not list it. */
  readonly missed: number;
  /** The token of the provider's project that showed it last. Null if that is not known. */
  readonly project: string | null;
  /** Of a version of record/1: all that the provider said when it was last asked, as a version. Null if not known. */
  readonly content: string | null;
  /** The version that it is without what the config may leave out (`Dossier.base`). Null if that is no other. */
  readonly base: string | null;
  /** What the provider said at the last glance (`Source.glance`), as a token. Null if not known. */
  readonly glance: string | null;
  /** Whether its provider id is known (1), so that it can be asked about without a list. */
  readonly located: number;
}

/** A row: versions in digits, and empty instead of null. */
interface KnownRow extends Omit<Known, "listed" | "content" | "base" | "glance"> {
  readonly listed: string;
  readonly content: string;
  readonly base: string;
  readonly glance: string;
}

/** What a walk through all subjects says of each. */
export interface InVault {
  /** The number in the tables. */
  readonly person: number;
  readonly subject: string;
  /** Files of the newest version that the provider withheld. */
  readonly withheld: number;
  /** The reason, if it is gone at the provider. */
  readonly gone: string | null;
}

/** Subjects read at once. More, with all that is kept of them, would outlive V8's young generation. */
const PAGE = 100;
/** Tokens of some hundred people: enough to meet each lookup that most of them have. */
const FIRST_TOKENS = 2_000;

/** The subjects in the vault, and how they are found. */
export class Subjects {
  readonly #db: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#statements = prepare(db);
  }

  known(subject: string): Known | undefined {
    const row = this.#statements.known.get(subject) as KnownRow | undefined;
    return row && knownOf(row);
  }

  /** The same for a page of subjects at once, in half the time. Those that are not known are left out. */
  knownAmong(subjects: readonly string[]): Map<string, Known> {
    const rows = this.#statements.knownAmong.all(JSON.stringify(subjects)) as (KnownRow & { subject: string })[];
    return new Map(rows.map(({ subject, ...row }) => [subject, knownOf(row)]));
  }

  /**
   * All subjects in the vault, in the order in which the log first mentions them. That is the order of the tables: someone
   * who reads more about each reads every page of the file once. In the order of the subjects it would be some pages for each
   * person, and from the disk where the file is larger than the memory.
   */
  *pages(): Generator<readonly InVault[]> {
    for (let after = 0; ; ) {
      const page = this.#statements.after.all(after) as InVault[];
      if (page.length > 0) yield page;
      if (page.length < PAGE) return;
      after = page.at(-1)!.person;
    }
  }

  *all(): Generator<InVault> {
    for (const page of this.pages()) yield* page;
  }

  /** Who may have something past its date, in order. */
  candidates(bounds: Bounds): Iterable<string> {
    return candidates(this.#db, bounds);
  }

  /** Everyone of whom a check of the policy may have something to tell: reads the tables once, without an index. */
  remarkable(marks: Marks): Iterable<string> {
    return remarkable(this.#db, marks);
  }

  /** Subjects that had this token when one of their records was stored. */
  find(name: string, token: string): string[] {
    return column(this.#statements.found.all(name, token), "subject");
  }

  /** Subjects with a version that the provider made in a period (RFC 3339 UTC, without its end), up to `limit`. */
  updatedIn(from: string, to: string, limit: number): string[] {
    return column(this.#statements.updatedIn.all(digitsOf(from), digitsOf(to), limit), "subject");
  }

  /** By which lookups the people can be found who came into the vault first; empty if no one can be found by any. */
  firstLookups(): string[] {
    return column(this.#statements.firstLookups.all(), "word");
  }

  /** Whether the newest version has files or lookups, so that it was about a person. */
  hadContent(subject: string): boolean {
    return this.#statements.hadContent.get(subject) !== undefined;
  }

  /** Log entries about a subject. */
  mentions(subject: string): number[] {
    return this.#statements.mentions.all(subject).map((row) => (row as { entry: number }).entry);
  }

  /** The average number of log entries per subject. */
  mentionsEach(): number {
    return (this.#statements.mentionsEach.get() as { each: number | null }).each ?? 0;
  }
}

function knownOf({ version, listed, content, base, glance, ...known }: KnownRow): Known {
  return {
    version: versionOf(version),
    listed: listed === "" ? null : versionOf(listed),
    ...known,
    content: content === "" ? null : versionOf(content),
    base: base === "" ? null : versionOf(base),
    glance: glance === "" ? null : glance,
  };
}

const KNOWN = `hex(version) AS version, hex(listed) AS listed, gone, withheld, entry, missed,
  ${wordText("project")} AS project, hex(content) AS content, hex(base) AS base,
  ${hexOf("glance")} AS glance, handle IS NOT NULL AS located`;

function prepare(db: DatabaseSync) {
  return {
    known: statement(db, `SELECT ${KNOWN} FROM subject WHERE person = ${personOf()}`),
    knownAmong: statement(
      db,
      `SELECT ${hexOf("person.subject")} AS subject, ${KNOWN} FROM person JOIN subject ON subject.person = person.id
       WHERE person.subject IN (SELECT ${bytesOf("value")} FROM json_each(?))`,
    ),
    after: statement(
      db,
      `SELECT person, ${subjectOf("person")} AS subject, withheld, gone FROM subject
       WHERE person > ? ORDER BY person LIMIT ${PAGE}`,
    ),
    found: statement(
      db,
      `SELECT ${subjectOf("lookup.person")} AS subject FROM lookup
       WHERE name = (SELECT id FROM word WHERE word = ?) AND token = ${bytesOf()} ORDER BY subject`,
    ),
    updatedIn: statement(
      db,
      `SELECT DISTINCT ${subjectOf("version.person")} AS subject FROM version
       WHERE updated >= ${bytesOf()} AND updated < ${bytesOf()} ORDER BY subject LIMIT ?`,
    ),
    firstLookups: statement(
      db,
      `SELECT word FROM word WHERE id IN (SELECT name FROM (SELECT name FROM lookup ORDER BY person LIMIT ${FIRST_TOKENS}))`,
    ),
    hadContent: statement(
      db,
      `SELECT 1 FROM lookup WHERE person = ${personOf("?1")}
       UNION SELECT 1 FROM subject JOIN version USING (person, version)
       WHERE person = ${personOf("?1")} AND version.files > 0 LIMIT 1`,
    ),
    mentions: statement(db, `SELECT entry FROM mention WHERE person = ${personOf()} ORDER BY entry`),
    mentionsEach: statement(db, "SELECT COUNT(*) * 1.0 / NULLIF(COUNT(DISTINCT person), 0) AS each FROM mention"),
  };
}
