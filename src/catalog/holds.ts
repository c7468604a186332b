import type { DatabaseSync } from "node:sqlite";
import type { Entry } from "../audit/entry.ts";
import { foldersOf } from "../vault/layout.ts";
import { keysWithin } from "./keys.ts";
import { column, statement } from "./statement.ts";

/** A legal hold in effect: a keyed token of its case, a commitment to its reason, and its start (RFC 3339 UTC). */
export interface Hold {
  readonly case: string;
  readonly commitment: string;
  readonly placed: string;
}

/** A case that holds people: the keyed token of its number, since when (RFC 3339 UTC), and whom. */
export interface HeldCase {
  readonly case: string;
  readonly placed: string;
  readonly subjects: readonly string[];
}

/** Legal holds in effect, and the objects under them. */
export class Holds {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Within the catalog's transaction. */
  apply(index: number, entry: Entry): void {
    const of = this.#statements;
    switch (entry.type) {
      case "hold.placed":
        of.hold.run(entry.subject, entry.case, entry.commitment, entry.time, index);
        for (const { key, versionId } of entry.objects) of.held.run(key, versionId);
        break;
      case "hold.released":
        of.release.run(entry.subject, entry.case);
        if (this.of(entry.subject).length === 0)
          for (const folder of foldersOf(entry.subject)) of.unheld.run(...keysWithin(folder));
        break;
      case "record.purged":
        for (const { key } of entry.objects) of.dropHeld.run(key);
        break;
    }
  }

  of(subject: string): Hold[] {
    return this.#statements.holds.all(subject) as unknown as Hold[];
  }

  /** Subjects under a hold, of one case or of all, in order. */
  subjects(caseToken?: string): string[] {
    const { heldAll, heldOf } = this.#statements;
    return column(caseToken === undefined ? heldAll.all() : heldOf.all(caseToken), "subject");
  }

  /** The cases that hold someone, the newest first, and whom each holds. */
  cases(): HeldCase[] {
    const rows = this.#statements.all.all() as { subject: string; case: string; placed: string }[];
    const cases = Map.groupBy(rows, (row) => row.case);
    return [...cases].map(([token, of]) => ({
      case: token,
      placed: of.at(-1)!.placed,
      subjects: of.map(({ subject }) => subject),
    }));
  }

  /** The commitments of a case's holds in effect. */
  commitments(caseToken: string): string[] {
    return column(this.#statements.commitments.all(caseToken), "commitment");
  }

  /** The number of holds in effect: two on one person count as two. */
  count(): number {
    return (this.#statements.count.get() as { count: number }).count;
  }

  isHeld(key: string, versionId: string): boolean {
    return this.#statements.isHeld.get(key, versionId) !== undefined;
  }
}

function prepare(db: DatabaseSync) {
  const of = (sql: string) => statement(db, sql);
  return {
    hold: of("INSERT OR IGNORE INTO hold VALUES (?, ?, ?, ?, ?)"),
    held: of("INSERT OR IGNORE INTO held VALUES (?, ?)"),
    release: of("DELETE FROM hold WHERE subject = ? AND case_token = ?"),
    unheld: of("DELETE FROM held WHERE key BETWEEN ? AND ?"),
    dropHeld: of("DELETE FROM held WHERE key = ?"),
    holds: of("SELECT case_token AS 'case', commitment, placed FROM hold WHERE subject = ? ORDER BY entry"),
    all: of("SELECT subject, case_token AS 'case', placed FROM hold ORDER BY entry DESC"),
    commitments: of("SELECT DISTINCT commitment FROM hold WHERE case_token = ? ORDER BY commitment"),
    count: of("SELECT COUNT(*) AS count FROM hold"),
    heldAll: of("SELECT DISTINCT subject FROM hold ORDER BY subject"),
    heldOf: of("SELECT subject FROM hold WHERE case_token = ? ORDER BY subject"),
    isHeld: of("SELECT 1 FROM held WHERE key = ? AND object_version = ?"),
  };
}
