import type { DatabaseSync } from "node:sqlite";
import { bytesOf, hexOf } from "./packing.ts";
import { statement } from "./statement.ts";
import { digitsOf } from "./time.ts";

/** Who may have something past its date: any of these holds. What is undefined finds no one. */
export interface Bounds {
  /** The relationship ended on this day or earlier, `2026-11-24`. */
  readonly endedUpTo: string | undefined;
  /** A version was stored before this, or the provider made one before that (RFC 3339 UTC). */
  readonly storedBefore: string | undefined;
  readonly updatedBefore: string | undefined;
}

/**
 * The subjects in the vault within the bounds, in order; and those with a file that has lost the version it was stored
 * with, and maybe the last one that lists it. It does not look at everyone: of ten million people, few are past a date.
 */
export function candidates(db: DatabaseSync, { endedUpTo, storedBefore, updatedBefore }: Bounds): Iterable<string> {
  const [any, values]: [string[], string[]] = [["SELECT person AS id FROM file WHERE listed = 0"], []];
  const add = (sql: string, value: string | undefined): void => {
    if (value === undefined) return;
    any.push(sql);
    values.push(value);
  };
  const ended = `SELECT ${bytesOf("subject")} FROM relationship WHERE ended <= ?`;
  add(`SELECT id FROM person WHERE subject IN (${ended})`, endedUpTo);
  add(`SELECT person FROM version WHERE stored < ${bytesOf()}`, storedBefore && digitsOf(storedBefore));
  add(`SELECT person FROM version WHERE updated < ${bytesOf()}`, updatedBefore && digitsOf(updatedBefore));
  // Joined in this order and sorted last, so that each of the lists above is read by an index.
  const found = statement(
    db,
    `SELECT ${hexOf("person.subject")} AS subject FROM (${any.join(" UNION ALL ")}) AS found
     CROSS JOIN subject ON subject.person = found.id CROSS JOIN person ON person.id = found.id
     GROUP BY person.subject ORDER BY person.subject`,
  );
  return found.iterate(...values).map((row) => (row as { subject: string }).subject);
}
