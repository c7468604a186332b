import type { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import { isInstant } from "../core/timestamp.ts";
import type { Named } from "./inbox.ts";

/** An event that no run has settled yet. */
export interface Pending extends Named {
  /** Its number in the inbox. */
  readonly id: number;
  readonly at: string;
  readonly isErasure: boolean;
  readonly tries: number;
}

/** Of an event's number and tries: more than Holdfast ever counts. Only others write more. */
export const HIGHEST = 2 ** 52;
export const NUMBERED = `id BETWEEN 1 AND ${HIGHEST}`;

/** What may be in the file is as untrusted as anything that others can write. */
const row = z.object({
  id: integer(1, HIGHEST),
  subject: z.string().regex(/^[0-9a-f]{32}$/),
  handle: z.string().regex(/^[A-Za-z0-9_-]{38,2000}$/),
  at: z.string().refine(isInstant),
  isErasure: integer(0, 1).transform((value) => value === 1),
  tries: integer(0, HIGHEST),
});

/** Of a row read with all integers as bigints: node:sqlite throws at a number beyond 2^53 otherwise. */
function integer(least: number, most: number) {
  return z.bigint().min(BigInt(least)).max(BigInt(most)).transform(Number);
}

/** Rows read at once. */
const PAGE = 1000;
/** By number alone: a text that is not UTF-8 comes back as another one, from which the next page might never advance. */
const PENDING = `SELECT id, subject, handle, at, erasure AS isErasure, tries FROM event
  WHERE source = ?1 AND id >= ?3 AND (id <= ?2 OR id > ${HIGHEST})
  AND (?4 IS NULL OR subject IN (SELECT subject FROM event WHERE source = ?1 AND tries = 0 AND id > ?4 AND id <= ?2))
  ORDER BY id LIMIT ${PAGE}`;
/** Of the numbers that SQLite can give a row. */
const [FIRST, LAST] = [-(2n ** 63n), 2n ** 63n - 1n];

/** The next events of a source from a number on; at most `PAGE`. */
export function pendingPage(
  db: DatabaseSync,
  source: string,
  upTo: number,
  from: bigint,
  untriedAfter?: number,
): unknown[] {
  const page = db.prepare(PENDING);
  page.setReadBigInts(true);
  return page.all(source, upTo, from, untriedAfter ?? null);
}

/** Events, page by page. `onInvalid` is called with the number of each that Holdfast did not write. */
export function* pendingIn(pageFrom: (id: bigint) => unknown[], onInvalid: (id: bigint) => void): Generator<Pending> {
  for (let from = FIRST; from <= LAST; ) {
    const page = pageFrom(from) as { id: bigint }[];
    for (const each of page) {
      const { success, data } = row.safeParse(each);
      if (success) yield data;
      else onInvalid(each.id);
    }
    if (page.length < PAGE) return;
    from = page.at(-1)!.id + 1n;
  }
}
