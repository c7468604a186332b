import { HoldfastError } from "../../core/error.ts";
import { broken } from "../answer.ts";
import { PageCursor } from "../page-cursor.ts";
import type { Page } from "../source.ts";
import { APPLICANTS } from "./calls.ts";
import type { ApplicantPage } from "./listing.ts";

/** How often a walk may go back because applicants were erased meanwhile. After that it is not whole. */
const MAX_RETURNS = 100;

/** Asks for one page: pages of `size` rows, counted from 1. */
type AskPage = (page: number, size: number) => Promise<ApplicantPage>;

/**
 * Walks numbered pages, newest first. Who is added moves the others down: someone is listed twice. Who is erased moves
 * those after them up, past the reader: then there are fewer applicants than before, and the walk goes back by as many
 * rows. From then on its pages overlap, so that a few more do no harm. It is whole as long as every answer says how many
 * applicants there are.
 *
 * A cursor says how many rows were read, of how many. A walk that continues from it a day later goes back as well.
 */
export async function* applicantPages(ask: AskPage, size: number, cursor?: string): AsyncGenerator<Page> {
  const place = cursor === undefined ? start(size) : parseCursor(cursor, size);
  const walk = new PageCursor(APPLICANTS, cursor);
  const begun = new Map<string, number>();
  let returns = 0;
  for (;;) {
    const asked = pageAt(place);
    const page = await ask(asked.page, asked.size);
    if (page.total === undefined) place.isWhole = false;
    const erased = Math.max(0, (place.total ?? 0) - (page.total ?? Number.POSITIVE_INFINITY));
    place.total = page.total ?? place.total;
    if (asked.from > place.read - erased) {
      place.read = Math.max(0, place.read - erased);
      place.overlap = Math.min(place.size >> 1, Math.max(place.overlap, 2 * erased));
      returns += 1;
      begun.clear();
      if (returns <= MAX_RETURNS) continue;
      place.isWhole = false;
    }
    // A server with shorter pages than asked for counts by its own.
    if (!page.isLast && page.rows < asked.size && asked.page === 1) place.size = page.rows;
    const end = asked.from + Math.min(asked.size, place.size);
    const isLast = page.isLast && end >= (place.total ?? 0);
    if (!isLast) refuseCircle(page, place.total, begun);
    place.read = end;
    const next = isLast ? null : cursorOf(place);
    walk.advance(next, page.first);
    const { identities, unread, unreadable } = page;
    yield { identities, unread, unreadable, cursor: next, whole: place.isWhole };
    if (next === null) return;
  }
}

interface Place {
  /** Rows from the top that were read, in their present order. */
  read: number;
  size: number;
  /** Rows to read again at the next page. */
  overlap: number;
  /** How many applicants there were. */
  total: number | undefined;
  isWhole: boolean;
}

const start = (size: number): Place => ({ read: 0, size, overlap: 0, total: undefined, isWhole: true });

/**
 * The page that begins with the rows to read again, or a little before, and reaches farthest. Pages begin at multiples
 * of their size, so sizes a little smaller are tried as well.
 */
function pageAt({ read, size, overlap }: Place): { page: number; size: number; from: number } {
  for (const begin of [Math.max(0, read - overlap), read]) {
    const choices = Array.from({ length: Math.ceil(size / 2) }, (_, less) => size - less).map((rows) => {
      const before = Math.floor(begin / rows);
      return { page: before + 1, size: rows, from: before * rows, end: (before + 1) * rows };
    });
    const { end, ...best } = choices.reduce((one, other) => (other.end > one.end ? other : one));
    if (end > read || begin === read) return best;
  }
  throw new RangeError("unreachable: the second choice always reaches farther");
}

/** The same page again, though no one was added, never ends. */
function refuseCircle({ first, rows }: ApplicantPage, total = 0, begun: Map<string, number>): void {
  if (rows === 0) throw broken(APPLICANTS, "a page is empty and not the last");
  if (first === undefined) return;
  const before = begun.get(first);
  if (before !== undefined && total <= before) throw broken(APPLICANTS, "a page was repeated");
  begun.set(first, total);
}

function cursorOf({ read, size, overlap, total, isWhole }: Place): string {
  return [read, size, overlap, total ?? "", isWhole ? "whole" : "part"].join(".");
}

function parseCursor(cursor: string, most: number): Place {
  const [, read, size, overlap, total, whole] =
    /^(\d{1,12})\.(\d{1,3})\.(\d{1,3})\.(\d{0,12})\.(whole|part)$/.exec(cursor) ?? [];
  if (read === undefined || Number(size) < 1 || Number(size) > most)
    throw new HoldfastError("source-rejected", `${APPLICANTS}: the cursor is not one of this source`);
  return {
    ...{ read: Number(read), size: Number(size), overlap: Number(overlap) },
    ...{ total: total === "" ? undefined : Number(total), isWhole: whole === "whole" },
  };
}
