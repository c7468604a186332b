/** Paths of the API, and their answers before version and inflection give them their form. */
import type { Events } from "./events.ts";
import { personaId } from "./id.ts";
import { mayRead, type Rights } from "./key.ts";
import { filtersOf, rankAmong, rowsOf } from "./lists.ts";
import { findObject, includable, included, includeFault } from "./objects.ts";
import { cut, links, pageOf } from "./paging.ts";
import { badRequest, forbidden, notFound } from "./refusal.ts";
import type { Search } from "./search.ts";
import { KEY_DEFAULTS, type Version } from "./shape.ts";
import type { Telling } from "./telling.ts";
import type { Window } from "./window.ts";
import type { Wire } from "./wire.ts";
import type { World } from "./world.ts";

export const BASE_PATH = "/api/v1";

/** Each path with its endpoint and the prefix of what it shows. `write` is everything that would change something. */
const LISTS = {
  inquiries: "inq",
  accounts: "act",
  reports: "rep",
  cases: "case",
  "inquiry-sessions": "iqse",
  devices: "dev",
};
const SINGLE = {
  inquiries: "inquiry",
  accounts: "account",
  reports: "report",
  cases: "case",
  documents: "document",
  verifications: "verification",
} as const;
const KIND_OF_ONE = {
  inquiry: "inq",
  account: "act",
  report: "rep",
  case: "case",
  document: "doc",
  verification: "ver",
};
const TYPED: Readonly<Record<string, string>> = {
  "document/government-ids": "document/government-id",
  "verification/government-ids": "verification/government-id",
  "verification/selfies": "verification/selfie",
};

type ListName = keyof typeof LISTS;
type OneName = keyof typeof KIND_OF_ONE;
export type Endpoint = ListName | OneName | "search" | Whole | "file" | "write" | "other";
type Whole = "rate-limits" | "api-keys" | "events";

export interface Asked {
  readonly world: World;
  readonly telling: Telling;
  readonly events: Events;
  readonly search: Search;
  readonly window: Window;
  readonly rights: Rights;
  readonly version: Version;
  readonly url: URL;
  readonly body: unknown;
}

export function endpointOf(method: string, pathname: string): Endpoint {
  if (!pathname.startsWith(`${BASE_PATH}/`)) return "other";
  const path = pathname.slice(BASE_PATH.length + 1);
  if (path === "inquiries/search" && method === "POST") return "search";
  if (method !== "GET") return "write";
  if (path === "rate-limits" || path === "api-keys" || path === "events") return path;
  const parts = path.split("/");
  if (parts.length === 1 && Object.hasOwn(LISTS, path)) return path as ListName;
  if (parts.length === 2 && Object.hasOwn(SINGLE, parts[0]!)) return SINGLE[parts[0] as keyof typeof SINGLE];
  const typed = TYPED[parts.slice(0, 2).join("/")];
  if (typed === undefined || parts.length !== 3) return "other";
  return typed.startsWith("document") ? "document" : "verification";
}

const isOne = (endpoint: Endpoint): endpoint is OneName => Object.hasOwn(KIND_OF_ONE, endpoint);

function kindOf(endpoint: Endpoint): string | undefined {
  if (endpoint === "search") return "inq";
  if (endpoint === "events") return "evt";
  if (endpoint === "api-keys") return "api";
  if (isOne(endpoint)) return KIND_OF_ONE[endpoint];
  return Object.hasOwn(LISTS, endpoint) ? LISTS[endpoint as ListName] : undefined;
}

type Answer = Readonly<Record<string, unknown>>;

/** Throws a refusal, or answers. */
export function answer(endpoint: Endpoint, asked: Asked): Answer {
  const kind = kindOf(endpoint);
  if (endpoint === "other") throw notFound();
  if (endpoint === "write") throw forbidden("The sandbox changes nothing");
  if (kind !== undefined && !mayRead(asked.rights, kind)) throw forbidden("API key lacks the required permission");
  if (endpoint === "rate-limits") return rateLimits(asked.window);
  if (endpoint === "api-keys") return { data: [apiKey(asked)], links: { prev: null, next: null } };
  if (endpoint === "events") return events(asked);
  if (endpoint === "search") return searched(asked);
  return isOne(endpoint) ? single(kind!, asked) : list(kind!, asked);
}

function single(kind: string, { world, telling, rights, version, url }: Asked): Answer {
  const parts = url.pathname.slice(BASE_PATH.length + 1).split("/");
  const id = parts.at(-1)!;
  const wanted = url.searchParams.get("include");
  // Before 2025-10-27 everything was included unless the request said otherwise.
  const everything = version < "2025-10-27" ? includable(kind) : [];
  const paths = wanted === null ? everything : wanted.split(",").filter(Boolean);
  const fault = includeFault(kind, paths);
  if (fault !== undefined) throw badRequest(fault);
  const object = id.startsWith(`${kind}_`) ? findObject(world, telling, id) : undefined;
  const type = TYPED[parts.slice(0, 2).join("/")];
  if (!object || (type !== undefined && object.type !== type)) throw notFound();
  // The specification allows the typed paths of verifications no `included`.
  if (type?.startsWith("verification/")) return { data: object };
  const permitted = (other: string) => mayRead(rights, other.split("_")[0]!);
  return { data: object, included: included(world, telling, object, paths, permitted) };
}

function list(kind: string, { world, telling, url }: Asked): Answer {
  const query = url.searchParams;
  if (query.has("include")) throw badRequest("include is not allowed");
  const rows = rowsOf(world, kind, filtersOf(kind, query));
  const page = cut(rows, pageOf(query), (id) => rankAmong(world, rows, kind, id));
  const objects = page.rows.map(({ index, at }) => findObject(world, telling, personaId(world.seed, kind, index, at))!);
  const filters = [...query].filter(([name]) => name.startsWith("filter["));
  return { data: objects, links: links(url.pathname, filters, { ...page, rows: objects }) };
}

function searched({ world, telling, search, url, body }: Asked): Answer {
  const { found, page } = search.answer(body, url.searchParams);
  const objects = found.rows.map(({ id }) => findObject(world, telling, id)!);
  return {
    data: objects,
    links: links(url.pathname, [["page[size]", String(page.size)]], { ...found, rows: objects }),
  };
}

function events({ events: log, url }: Asked): Answer {
  const query = url.searchParams;
  const all = log.list(query.get("filter[name]"), query.get("filter[object-id]"));
  const page = cut(all, pageOf(query), (id) => {
    const at = all.findIndex((event) => event.id === id);
    if (at < 0) throw badRequest("page.after is not found");
    return { at, found: true };
  });
  return { data: page.rows, links: links(url.pathname, [], page) };
}

function rateLimits(window: Window): Answer {
  const attributes = {
    limit: window.limit,
    remaining: window.remaining,
    "seconds-to-reset": window.secondsToReset,
  };
  return { data: [{ type: "rate-limit/api", attributes }] };
}

function apiKey({ world, rights }: Asked): Wire {
  return {
    type: "api-key",
    id: personaId(world.seed, "api", 0),
    attributes: {
      name: "Holdfast sandbox",
      note: null,
      "api-version": KEY_DEFAULTS.version,
      "api-key-inflection": KEY_DEFAULTS.inflection,
      "api-attributes-blocklist": rights.blocklist,
      permissions: rights.permissions,
      "ip-address-allowlist": rights.addressAllowed ? ["*"] : ["192.0.2.1/32"],
      "file-access-token-expires-in": rights.fileSeconds,
      "last-used-at": null,
      "expires-at": null,
      "created-at": "2020-03-01T00:00:00.000Z",
    },
  };
}
