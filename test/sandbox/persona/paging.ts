/** Pages of a list, newest first. The cursor is the id of a row, so rows that are added later shift nothing. */
import { badRequest } from "./refusal.ts";

export interface Page {
  readonly size: number;
  readonly after: string | undefined;
  readonly before: string | undefined;
}

const LARGEST = 100;

export function checkedPage(size: unknown, after: unknown, before: unknown): Page {
  const count = size === undefined ? 10 : Number(size);
  if (!Number.isInteger(count) || count < 1 || count > LARGEST) throw badRequest("page.size must be from 1 to 100");
  if (after !== undefined && before !== undefined) throw badRequest("page.after and page.before exclude each other");
  for (const cursor of [after, before]) {
    if (cursor !== undefined && typeof cursor !== "string") throw badRequest("page.after must be an object ID");
  }
  return { size: count, after: after as string | undefined, before: before as string | undefined };
}

export function pageOf(query: URLSearchParams): Page {
  const get = (name: string) => query.get(`page[${name}]`) ?? undefined;
  return checkedPage(get("size"), get("after"), get("before"));
}

export interface Rows<T> {
  readonly rows: readonly T[];
  readonly earlier: boolean;
  readonly later: boolean;
}

/** The rows of a page. `rank` places a cursor: its position, or that of the row that follows it if its row is gone. */
export function cut<T>(all: readonly T[], page: Page, rank: (id: string) => { at: number; found: boolean }): Rows<T> {
  let from = 0;
  if (page.after !== undefined) {
    const { at, found } = rank(page.after);
    from = found ? at + 1 : at;
  } else if (page.before !== undefined) {
    const { at } = rank(page.before);
    from = Math.max(0, at - page.size);
    return { rows: all.slice(from, at), earlier: from > 0, later: at < all.length };
  }
  return { rows: all.slice(from, from + page.size), earlier: from > 0, later: from + page.size < all.length };
}

/** `next` and `prev` are paths. A list leaves the page's size out of them, a search keeps it. */
export function links(
  path: string,
  rest: readonly (readonly [string, string])[],
  rows: Rows<{ readonly id: string }>,
): { prev: string | null; next: string | null } {
  const link = (name: string, id: string | undefined) =>
    id === undefined
      ? null
      : `${path}?${new URLSearchParams([[`page[${name}]`, id], ...rest.map(([k, v]) => [k, v])])}`;
  return {
    prev: rows.earlier ? link("before", rows.rows[0]?.id) : null,
    next: rows.later ? link("after", rows.rows.at(-1)?.id) : null,
  };
}
