import type { DatabaseSync } from "node:sqlite";
import type { Entry } from "../audit/entry.ts";
import { statement } from "./statement.ts";
import type { Words } from "./words.ts";

/** A source, as the log knows it. */
export interface KnownSource {
  readonly kind: string;
  /** Keyed token of the provider's project that it answers for. */
  readonly project: string;
  /** When the last run of this project began that looked at everyone it had to, RFC 3339 UTC. */
  readonly asked: string | null;
  /** The same for the last one that also read the whole list. */
  readonly walked: string | null;
}

/**
 * The sources that records came from. People belong to the project of a provider, not to a source's name: a project
 * that does not list those of another proves nothing about them, and a project that comes back finds its own.
 */
export class Sources {
  readonly #statements: ReturnType<typeof prepare>;

  readonly #words: Words;

  constructor(db: DatabaseSync, words: Words) {
    this.#statements = prepare(db);
    this.#words = words;
  }

  /** Within the catalog's transaction, after `Runs`. */
  apply(entry: Entry): void {
    if (entry.type === "source.changed") {
      this.#statements.changed.run(entry.source, entry.kind, entry.project);
      this.#words.number(entry.project);
    }
    if (entry.type === "run.finished" && entry.round) this.#statements.round.run(entry.walked ? 1 : 0, entry.run);
  }

  known(name: string): KnownSource | undefined {
    return this.#statements.known.get(name) as KnownSource | undefined;
  }

  /** The source that answers for this project now: of several names, the one that was logged last. */
  nameOf(project: string): string | undefined {
    return (this.#statements.nameOf.get(project) as { name: string } | undefined)?.name;
  }

  /** Whether this source answered for this project last. Several may, such as a source under its former name. */
  isOf(name: string, project: string): boolean {
    return this.known(name)?.project === project;
  }
}

function prepare(db: DatabaseSync) {
  return {
    known: statement(
      db,
      "SELECT kind, project, asked, walked FROM source LEFT JOIN round USING (project) WHERE name = ?",
    ),
    nameOf: statement(db, "SELECT name FROM source WHERE project = ? ORDER BY rowid DESC LIMIT 1"),
    changed: statement(db, "INSERT OR REPLACE INTO source VALUES (?, ?, ?)"),
    round: statement(
      db,
      `INSERT INTO round
       SELECT project, started || 'Z', CASE WHEN ?1 THEN started || 'Z' END FROM run JOIN source ON name = run.source
       WHERE run = ?2
       ON CONFLICT DO UPDATE SET asked = excluded.asked, walked = coalesce(excluded.walked, walked)`,
    ),
  };
}
