/** Pages of a list, newest first. The cursor is an object's id, so objects that are added later shift nothing. */
import { badRequest } from "./refusal.ts";

export interface List<T> {
  readonly object: "list";
  readonly url: string;
  readonly has_more: boolean;
  readonly data: readonly T[];
}

/** An object's place in its list: the later, the greater. */
export type Place = readonly [major: number, minor: number];

const after = (a: Place, b: Place) => a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
const LARGEST = 100;

/** `rank` says where an id is in the list, or refuses it. */
export function pageOf<T extends { readonly place: Place }>(
  rows: readonly T[],
  query: URLSearchParams,
  rank: (id: string, param: string) => Place,
): { readonly rows: readonly T[]; readonly more: boolean } {
  const limit = query.get("limit") ?? "10";
  if (!/^\d+$/.test(limit)) throw badRequest(`Invalid integer: ${limit}`, "limit");
  const size = Number(limit);
  if (size < 1 || size > LARGEST) throw badRequest("This value must be from 1 to 100.", "limit");
  const [from, to] = [query.get("starting_after"), query.get("ending_before")];
  if (from !== null && to !== null) throw badRequest("You may only specify one of starting_after, ending_before.");
  if (to !== null) {
    const end = rank(to, "ending_before");
    const newer = rows.filter(({ place }) => after(place, end));
    return { rows: newer.slice(-size), more: newer.length > size };
  }
  const start = from === null ? undefined : rank(from, "starting_after");
  const older = start === undefined ? rows : rows.filter(({ place }) => after(start, place));
  return { rows: older.slice(0, size), more: older.length > size };
}

/** `created=…`, or `created[gte]=…` and the like. */
export function createdFilter(query: URLSearchParams): (created: number) => boolean {
  const bound = (name: string) => {
    const text = query.get(name);
    if (text === null) return undefined;
    if (!/^\d+$/.test(text)) throw badRequest(`Invalid integer: ${text}`, name);
    return Number(text);
  };
  const [exact, gt, gte, lt, lte] = ["created", "created[gt]", "created[gte]", "created[lt]", "created[lte]"].map(
    bound,
  );
  return (created) =>
    created === (exact ?? created) &&
    !(gt !== undefined && created <= gt) &&
    !(gte !== undefined && created < gte) &&
    !(lt !== undefined && created >= lt) &&
    !(lte !== undefined && created > lte);
}
