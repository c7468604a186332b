import type { DatabaseSync } from "node:sqlite";
import type { Entry } from "../audit/entry.ts";
import { personOf, versionText } from "./packing.ts";
import { statement } from "./statement.ts";

/** A relationship that has ended, as the log says it. */
export interface EndedRelationship {
  readonly subject: string;
  /** Its last day. */
  readonly ended: string;
  /** When someone told Holdfast (RFC 3339 UTC). */
  readonly told: string;
  /** Nothing is left of the person. */
  readonly purged: boolean;
}

/** Relationships that have ended, and the subjects of whom nothing is left. */
export class Relationships {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Runs inside the catalog's transaction, before purged rows are deleted. */
  apply(index: number, entry: Entry): void {
    const of = this.#statements;
    switch (entry.type) {
      case "relationship.ended":
        of.end.run(entry.subject, entry.ended, entry.time, index);
        break;
      case "relationship.reopened":
        of.reopen.run(entry.subject);
        of.returned.run(entry.subject);
        break;
      case "record.stored":
        // The person came back.
        of.returned.run(entry.subject);
        // Its lock may be shorter than the final date.
        of.unsettle.run(entry.subject);
        break;
      case "record.purged":
        if (entry.whole) of.depart.run(entry.subject);
        break;
    }
  }

  /** The last day of a subject's relationship; undefined while it lasts. */
  ended(subject: string): string | undefined {
    return (this.#statements.ended.get(subject) as { ended: string } | undefined)?.ended;
  }

  /** Last days of relationships, each once. */
  endings(): string[] {
    return this.#statements.endings.all().map((row) => (row as { ended: string }).ended);
  }

  /** Everyone whose relationship has ended, what was told last first. */
  list(): EndedRelationship[] {
    const rows = this.#statements.list.all() as (Omit<EndedRelationship, "purged"> & { purged: number })[];
    return rows.map((row) => ({ ...row, purged: row.purged === 1 }));
  }

  /**
   * Whether everything about a subject was purged. With `listed`, what the provider's list says now: whether it must
   * not be exported again, because the relationship was not reopened or the provider has nothing newer.
   */
  hasDeparted(subject: string, listed?: string): boolean {
    const row = this.#statements.departed.get(subject) as { listed: string | null; ended: string | null } | undefined;
    if (row === undefined) return false;
    return listed === undefined || row.ended !== null || row.listed === listed;
  }

  /**
   * The version that the newest of someone of whom nothing is left was without what the config may leave out
   * (`Dossier.base`). Undefined if that is no other.
   */
  departedBase(subject: string): string | undefined {
    return (this.#statements.departedBase.get(subject) as { base: string | null } | undefined)?.base ?? undefined;
  }

  departedCount(): number {
    return (this.#statements.departedCount.get() as { count: number }).count;
  }

  noteDeparted(subject: string, listed: string): void {
    this.#statements.noteDeparted.run(listed, subject);
  }
}

function prepare(db: DatabaseSync) {
  const of = (sql: string) => statement(db, sql);
  return {
    end: of("INSERT OR REPLACE INTO relationship (subject, ended, told, entry) VALUES (?, ?, ?, ?)"),
    reopen: of("DELETE FROM relationship WHERE subject = ?"),
    ended: of("SELECT ended FROM relationship WHERE subject = ?"),
    unsettle: of("UPDATE relationship SET settled = '' WHERE subject = ? AND settled <> ''"),
    // From each day to the next one by the index: DISTINCT would read everyone who left.
    endings: of(
      `WITH RECURSIVE day(ended) AS (
         SELECT MIN(ended) FROM relationship
         UNION ALL SELECT (SELECT MIN(ended) FROM relationship WHERE ended > day.ended) FROM day WHERE ended IS NOT NULL)
       SELECT ended FROM day WHERE ended IS NOT NULL`,
    ),
    list: of(
      `SELECT subject, ended, told, departed.subject IS NOT NULL AS purged
       FROM relationship LEFT JOIN departed USING (subject) ORDER BY relationship.entry DESC`,
    ),
    depart: of(
      `INSERT OR REPLACE INTO departed
       SELECT ?1, ${versionText("coalesce(listed, version)")}, iif(base IS NULL, NULL, ${versionText("base")})
       FROM subject WHERE person = ${personOf("?1")}`,
    ),
    departed: of(
      "SELECT listed, ended FROM departed LEFT JOIN relationship USING (subject) WHERE departed.subject = ?",
    ),
    departedBase: of("SELECT base FROM departed WHERE subject = ?"),
    departedCount: of("SELECT COUNT(*) AS count FROM departed"),
    noteDeparted: of("UPDATE departed SET listed = ? WHERE subject = ?"),
    returned: of("DELETE FROM departed WHERE subject = ?"),
  };
}
