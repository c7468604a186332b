import { number } from "./format.ts";

/** How many lines of a list to show on a terminal. People do not read more; `--json` has all of them. */
export const MOST = 20;

/**
 * The first items of a list, and a line that says how many more there are and where to find them; undefined if there are
 * no more.
 * @param rest where to find the others: `--json lists all`
 * @param count the total, if the list itself is cut
 */
export function firstFew<T>(
  all: readonly T[],
  rest: string,
  count: number = all.length,
): { readonly first: readonly T[]; readonly more: string | undefined } {
  const first = all.slice(0, MOST);
  return { first, more: count > first.length ? `… and ${number(count - first.length)} more; ${rest}` : undefined };
}
