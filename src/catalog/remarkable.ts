import type { DatabaseSync } from "node:sqlite";
import type { Bounds } from "./candidates.ts";
import { bytesOf, hexOf, type MODES } from "./packing.ts";
import { column, statement } from "./statement.ts";
import { digitsOf } from "./time.ts";

/** What makes a person remarkable: any of these holds. Times are RFC 3339 UTC. */
export interface Marks extends Omit<Bounds, "endedUpTo"> {
  /** A lock ends then or earlier. */
  readonly lockedUpTo: string;
  /** A lock is not in this mode, and a version was stored before this. Undefined: the modes do not matter. */
  readonly soft: { readonly mode: (typeof MODES)[number]; readonly storedBefore: string } | undefined;
}

/** People looked at with one question, so that other work gets its turn: a few milliseconds. */
const SPAN = 2_000;

/**
 * The people in the vault with such a mark, or whose relationship ended, or with a hold, a note, or a file that lost a
 * version. In the order in which the log first mentions them, which is that of the tables: each page is read once.
 */
export function* remarkable(
  db: DatabaseSync,
  { lockedUpTo, storedBefore, updatedBefore, soft }: Marks,
): Generator<string, void, undefined> {
  const { last } = statement(db, "SELECT MAX(id) AS last FROM person").get() as { last: number | null };
  const digits = (time: string | undefined): string | null => (time === undefined ? null : digitsOf(time));
  const marks = [digits(lockedUpTo), digits(storedBefore), digits(updatedBefore)];
  const modes = [soft?.mode ?? null, digits(soft?.storedBefore)];
  const find = statement(db, REMARKABLE);
  for (let after = 0; after < (last ?? 0); after += SPAN)
    yield* column(find.all(after, after + SPAN, ...marks, ...modes), "subject");
}

const OF_PERSON = (table: string): string => `SELECT 1 FROM ${table} WHERE ${table}.person = person.id`;
const OF_SUBJECT = (table: string): string =>
  `SELECT 1 FROM ${table} WHERE ${table}.subject = ${hexOf("person.subject")}`;
const ENDS = `locked_until <= ${bytesOf("?3")}`;
const OTHER_MODE = "lock_mode <> (?6 = 'compliance')";

// A comparison with NULL finds no one.
const REMARKABLE = `
  SELECT ${hexOf("subject")} AS subject FROM person WHERE id > ?1 AND id <= ?2
    AND EXISTS (${OF_PERSON("subject")})
    AND (EXISTS (${OF_PERSON("version")} AND (${ENDS} OR stored < ${bytesOf("?4")} OR updated < ${bytesOf("?5")}
        OR (${OTHER_MODE} AND stored < ${bytesOf("?7")})))
      OR EXISTS (${OF_PERSON("file")} AND (${ENDS} OR listed = 0
        OR (${OTHER_MODE} AND EXISTS (${OF_PERSON("version")} AND stored < ${bytesOf("?7")}))))
      OR EXISTS (${OF_SUBJECT("relationship")}) OR EXISTS (${OF_SUBJECT("hold")}) OR EXISTS (${OF_SUBJECT("note")}))
  ORDER BY id`;
