import type { DatabaseSync } from "node:sqlite";
import type { Entry } from "../audit/entry.ts";
import { statement } from "./statement.ts";

/** A source, as the log and earlier runs know it. */
export interface KnownSource {
  readonly kind: string;
  /** Keyed token of the provider's project. */
  readonly project: string;
  /** When the last whole walk of its list began, RFC 3339 UTC. Null: never, or this machine does not know. */
  readonly walked: string | null;
  /** The same for the last run that looked at everyone it had to. */
  readonly asked: string | null;
}

/** The sources that records came from. */
export class Sources {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Within the catalog's transaction. */
  apply(entry: Entry): void {
    if (entry.type !== "source.changed") return;
    const { source, kind, project } = entry;
    const known = this.known(source);
    if (known && known.kind === kind && known.project === project) return;
    // Its people are those of another project: that this one does not list them proves nothing.
    this.#statements.forget.run(source);
    this.#statements.changed.run(source, kind, project);
  }

  known(name: string): KnownSource | undefined {
    return this.#statements.known.get(name) as KnownSource | undefined;
  }

  /** Everyone whom a run had to look at was looked at; it began at this time. */
  noteAsked(name: string, begun: string, { walked }: { readonly walked: boolean }): void {
    this.#statements.asked.run(begun, walked ? 1 : 0, begun, name);
  }
}

function prepare(db: DatabaseSync) {
  return {
    known: statement(db, "SELECT kind, project, walked, asked FROM source WHERE name = ?"),
    forget: statement(db, "UPDATE subject SET source = NULL, missed = 0 WHERE source = ?"),
    changed: statement(db, "INSERT OR REPLACE INTO source (name, kind, project) VALUES (?, ?, ?)"),
    asked: statement(db, "UPDATE source SET asked = ?, walked = CASE WHEN ? THEN ? ELSE walked END WHERE name = ?"),
  };
}
