import { number } from "./format.ts";

/** Lines of a list that people are shown; what comes after them they do not read. */
const MOST = 20;

/**
 * The first of a list, and a line that says how many more there are and where to find them; undefined where there are
 * no more.
 * @param rest where the others are: `--json lists all`
 * @param count of all, where the list itself is cut
 */
export function firstFew<T>(
  all: readonly T[],
  rest: string,
  count: number = all.length,
): { readonly first: readonly T[]; readonly more: string | undefined } {
  const first = all.slice(0, MOST);
  return { first, more: count > first.length ? `… and ${number(count - first.length)} more; ${rest}` : undefined };
}
