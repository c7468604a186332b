import type { DatabaseSync } from "node:sqlite";
import { statement } from "./statement.ts";

/** Words that are remembered at most: providers choose some of them. */
const MOST = 1_000;

/** The numbers of the texts that many rows share: file types, media types, names of lookups, projects. */
export class Words {
  readonly #statements: ReturnType<typeof prepare>;
  readonly #numbers = new Map<string, number>();

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  /** Within the catalog's transaction. */
  number(word: string): number {
    const known = this.#numbers.get(word);
    if (known !== undefined) return known;
    const { find, insert } = this.#statements;
    const { id } = (find.get(word) ?? insert.get(word)) as { id: number };
    if (this.#numbers.size >= MOST) this.#numbers.clear();
    this.#numbers.set(word, id);
    return id;
  }

  /** After a transaction that was undone, its words have no numbers. */
  forget(): void {
    this.#numbers.clear();
  }
}

function prepare(db: DatabaseSync) {
  return {
    find: statement(db, "SELECT id FROM word WHERE word = ?"),
    insert: statement(db, "INSERT INTO word (word) VALUES (?) RETURNING id"),
  };
}
