/** Which rows a list has for its filters, newest first. A row is a place; its id is made when it is shown. */
import { course, personOf } from "./course.ts";
import { placeOf } from "./id.ts";
import { traits } from "./inquiry.ts";
import { badRequest } from "./refusal.ts";
import { accountReports } from "./report.ts";
import type { World } from "./world.ts";

export interface Row {
  readonly index: number;
  readonly at: number;
}

type Filters = ReadonlyMap<string, string>;

/** The filters of each list that the sandbox knows. */
const FILTERS: Readonly<Record<string, readonly string[]>> = {
  inq: [
    "inquiry-id",
    "account-id",
    "reference-id",
    "inquiry-template-id",
    "status",
    "created-at-start",
    "created-at-end",
  ],
  act: ["reference-id"],
  rep: ["account-id", "reference-id"],
  case: ["inquiry-id", "account-id", "reference-id", "status"],
  iqse: ["inquiry-id"],
  dev: ["inquiry-session-id"],
};

export function filtersOf(kind: string, query: URLSearchParams): Filters {
  const filters = new Map<string, string>();
  for (const [name, value] of query) {
    const filter = /^filter\[([a-z-]+)\]$/.exec(name)?.[1];
    if (filter === undefined) continue;
    if (!FILTERS[kind]?.includes(filter)) throw badRequest(`filter ${filter} is not supported`);
    filters.set(filter, value);
  }
  return filters;
}

const indexOf = (world: World, kind: string, id: string): number => {
  const place = placeOf(world.seed, id);
  return place?.kind === kind && place.index < world.size ? place.index : -1;
};

/** The account with that reference. The reference says which person it is. */
function baseOfReference(world: World, reference: string): number {
  const index = Number(/^CUST-(\d{7,})-/.exec(reference)?.[1] ?? -1);
  if (index < 0 || index >= world.size || world.base(index) !== index) return -1;
  const kept = world.fate(index).accountRedacted === undefined && personOf(world, index).customer === reference;
  return kept ? index : -1;
}

/** The inquiries that the filters leave, oldest first. */
function inquiries(world: World, filters: Filters): number[] {
  const [account, reference, id] = ["account-id", "reference-id", "inquiry-id"].map((name) => filters.get(name));
  let found: number[];
  if (id !== undefined) found = [indexOf(world, "inq", id)].filter((index) => world.has(index));
  else if (account !== undefined) found = members(world, indexOf(world, "act", account));
  else if (reference !== undefined) found = members(world, baseOfReference(world, reference));
  else found = Array.from({ length: world.size }, (_, index) => index).filter((index) => world.has(index));
  const status = filters.get("status");
  const [start, end] = ["created-at-start", "created-at-end"].map((name) => Date.parse(filters.get(name) ?? ""));
  const template = filters.get("inquiry-template-id");
  if (template !== undefined && indexOf(world, "itmpl", template) !== 0) return [];
  if (filters.size === 0) return found;
  return found.filter((index) => {
    const state = course(world, index);
    if (reference !== undefined && !traits(world, index).referenced) return false;
    if (status !== undefined && !status.split(",").includes(state.status)) return false;
    return !(state.created < start!) && !(state.created > end!);
  });
}

const members = (world: World, base: number): number[] => (base < 0 ? [] : world.inquiriesOf(base));

function reportPlaces(world: World, base: number): Row[] {
  return accountReports(world, base).map((id) => placeOf(world.seed, id)!);
}

export function rowsOf(world: World, kind: string, filters: Filters): Row[] {
  const bases = () => {
    const account = filters.get("account-id");
    const reference = filters.get("reference-id");
    if (account !== undefined) return [indexOf(world, "act", account)].filter((base) => base >= 0);
    if (reference !== undefined) return [baseOfReference(world, reference)].filter((base) => base >= 0);
    return Array.from({ length: world.size }, (_, index) => index).filter((index) => world.base(index) === index);
  };
  if (kind === "act") return plain(bases().filter((base) => world.inquiriesOf(base).length > 0));
  if (kind === "rep") return newest(bases().flatMap((base) => reportPlaces(world, base)));
  if (kind === "inq") return plain(inquiries(world, filters));
  if (kind === "case") {
    return plain(
      inquiries(world, new Map([...filters].filter(([name]) => name !== "status"))).filter((index) => {
        const status = course(world, index).status === "needs_review" ? "open" : "resolved";
        return traits(world, index).cased && (filters.get("status") ?? status) === status;
      }),
    );
  }
  if (kind === "iqse") return newest(inquiries(world, filters).flatMap((index) => sessions(world, index)));
  const session = placeOf(world.seed, filters.get("inquiry-session-id") ?? "");
  if (!session) throw badRequest("filter inquiry-session-id is missing");
  return session.kind === "iqse" && world.has(session.index) ? [session] : [];
}

function sessions(world: World, index: number): Row[] {
  if (course(world, index).status === "created") return [];
  return Array.from({ length: traits(world, index).sessions }, (_, at) => ({ index, at }));
}

const plain = (indexes: readonly number[]): Row[] => indexes.map((index) => ({ index, at: 0 })).reverse();
const newest = (rows: Row[]): Row[] => rows.sort((a, b) => b.index - a.index || b.at - a.at);

/** Where a cursor is among the rows, or would be if its row were still there. */
export function rankAmong(world: World, rows: readonly Row[], kind: string, id: string) {
  const place = placeOf(world.seed, id);
  if (place?.kind !== kind) throw badRequest("page.after is not found");
  const at = rows.findIndex((row) => row.index < place.index || (row.index === place.index && row.at <= place.at));
  const found = rows[at]?.index === place.index && rows[at]?.at === place.at;
  return { at: at < 0 ? rows.length : at, found };
}
