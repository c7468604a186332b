/** Paths of the API, and their answers. */
import { course, personOf } from "./course.ts";
import type { Events } from "./events.ts";
import { expansions, sensitive, type Tree, valuesOf } from "./expand.ts";
import { placeOf, stripeId } from "./id.ts";
import { type Rights, sees } from "./key.ts";
import { createdFilter, type List, type Place, pageOf } from "./paging.ts";
import { badRequest, forbidden, missing, Refusal, unknownPath } from "./refusal.ts";
import { makeReport } from "./report.ts";
import { makeToken } from "./secret.ts";
import { makeSession } from "./session.ts";
import type { Shelf } from "./slot.ts";
import type { FileLink, FileObject, Report, Session } from "./wire.ts";
import type { World } from "./world.ts";

export type Endpoint =
  | ("sessions" | "session" | "reports" | "report" | "file" | "file_links" | "events" | "account")
  /** On the files' origin: bytes with the key, and bytes by a link. */
  | ("contents" | "link")
  /** Everything that would change something. */
  | ("write" | "other");

export interface Asked {
  readonly world: World;
  readonly shelf: Shelf;
  readonly events: Events;
  readonly rights: Rights;
  readonly apiKey: string;
  readonly live: boolean;
  readonly account: string;
  readonly filesOrigin: string;
  readonly method: string;
  readonly url: URL;
  /** The form of a POST. */
  readonly form: URLSearchParams;
  readonly answer: number;
}

const NO_TREE: Tree = new Map();
const LINK_SECONDS = 30;

export function endpointOf(method: string, pathname: string): Endpoint {
  const parts = pathname.split("/").slice(1);
  const [version, first, second] = parts;
  if (version !== "v1") return "other";
  if (first === "file_links" && parts.length === 2 && method === "POST") return "file_links";
  if (method !== "GET") return "write";
  if (first === "account" && parts.length === 2) return "account";
  if (first === "events" && parts.length === 2) return "events";
  if (first === "files" && parts.length === 3) return "file";
  if (first !== "identity" || parts.length > 4) return "other";
  if (second === "verification_sessions") return parts.length === 3 ? "sessions" : "session";
  if (second === "verification_reports") return parts.length === 3 ? "reports" : "report";
  return "other";
}

/** Throws a refusal, or answers. */
export function answer(endpoint: Endpoint, asked: Asked): unknown {
  const { rights, apiKey, url } = asked;
  const allow = (may: boolean, permission: string) => {
    if (!may) throw forbidden(apiKey, permission);
  };
  const id = url.pathname.split("/").at(-1)!;
  switch (endpoint) {
    case "sessions":
    case "session":
      allow(rights.sessions, "rak_identity_product_read");
      return endpoint === "sessions" ? sessions(asked) : session(asked, id);
    case "reports":
    case "report":
      allow(rights.sessions, "rak_identity_product_read");
      return endpoint === "reports" ? reports(asked) : report(asked, id);
    case "events":
      allow(rights.events, "rak_event_read");
      return events(asked);
    case "file":
      allow(rights.files !== "none", "rak_file_read");
      return file(asked, id);
    case "file_links":
      allow(rights.files === "write", "rak_file_write");
      return fileLink(asked);
    case "account":
      allow(rights.account, "rak_accounts_read");
      return account(asked);
    case "write":
      throw forbidden(apiKey, "rak_identity_product_write");
    default:
      throw unknownPath(asked.method, url.pathname);
  }
}

/** The sensitive members to show: all that are expanded, or refuses, or shows no such member. */
function seen(tree: Tree, submitted: number | undefined, { world, rights, apiKey }: Asked): Tree {
  if (!sensitive(tree)) return tree;
  const now = Math.floor(world.now() / 1000);
  if (sees(rights, submitted ?? now, now)) return tree;
  if (rights.unseen === "left out") return NO_TREE;
  const refusal = forbidden(apiKey, "rak_identity_sensitive_verification_results_read");
  throw rights.unseen === 403 ? refusal : new Refusal(400, refusal.message, { param: "expand" });
}

function shownSession(asked: Asked, index: number, tree: Tree): Session | undefined {
  const { world, live, answer: number } = asked;
  if (!world.has(index)) return undefined;
  const sensible = seen(tree, course(world, index).attempts.at(-1), asked);
  return makeSession({ world, live, expanded: tree, sensitive: sensible, answer: number }, index);
}

function shownReport(asked: Asked, index: number, attempt: number, tree: Tree): Report | undefined {
  const { world, live } = asked;
  if (!world.has(index)) return undefined;
  const sensible = seen(tree, course(world, index).attempts[attempt], asked);
  return makeReport({ world, live, sensitive: sensible }, index, attempt);
}

function session(asked: Asked, id: string): Session {
  const place = placeOf(asked.world.seed, "vs", id);
  const tree = expansions("session", asked.url.searchParams, false);
  const found = place && shownSession(asked, place.index, tree);
  if (!found) throw missing("identity verification session", id, "session");
  return found;
}

function report(asked: Asked, id: string): Report {
  const place = placeOf(asked.world.seed, "vr", id);
  const tree = expansions("report", asked.url.searchParams, false);
  const found = place && shownReport(asked, place.index, place.at, tree);
  if (!found) throw missing("identity verification report", id, "report");
  return found;
}

const list = <T>(url: URL, data: readonly T[], more: boolean): List<T> => ({
  object: "list",
  url: url.pathname,
  has_more: more,
  data,
});

/** The place of an id in a list. An object that is gone keeps its place. */
const ranker =
  (world: World, kind: "vs" | "vr") =>
  (id: string, param: string): Place => {
    const place = placeOf(world.seed, kind, id);
    if (!place || place.index >= world.size) throw missing("object", id, param, 400);
    return [place.index, place.at];
  };

function indexes(world: World): number[] {
  return Array.from({ length: world.size }, (_, n) => world.size - 1 - n).filter((index) => world.has(index));
}

function sessions(asked: Asked): List<Session> {
  const { world, url } = asked;
  const query = url.searchParams;
  const tree = expansions("session", query, true);
  const [status, reference, customer] = ["status", "client_reference_id", "related_customer"].map((name) =>
    query.get(name),
  );
  const within = createdFilter(query);
  const filtered = [...query.keys()].some((name) => /^(created|status|client_reference_id)/.test(name));
  const holds = (index: number) => {
    const { created, status: now } = course(world, index);
    if (!within(created) || (status ?? now) !== now) return false;
    return reference === null || bare(asked, index)?.client_reference_id === reference;
  };
  const rows = (customer === null ? indexes(world) : [])
    .filter((index) => !filtered || holds(index))
    .map((index) => ({ place: [index, 0] as const }));
  const page = pageOf(rows, query, ranker(world, "vs"));
  return list(
    url,
    page.rows.map(({ place: [index] }) => shownSession(asked, index, tree)!),
    page.more,
  );
}

const bare = (asked: Asked, index: number) =>
  makeSession({ ...asked, expanded: NO_TREE, sensitive: NO_TREE, answer: 0 }, index);

function reports(asked: Asked): List<Report> {
  const { world, url } = asked;
  const query = url.searchParams;
  const tree = expansions("report", query, true);
  const of = query.get("verification_session");
  const reference = query.get("client_reference_id");
  const type = query.get("type") ?? "document";
  const place = of === null ? undefined : placeOf(world.seed, "vs", of);
  if (of !== null && (!place || !world.has(place.index)))
    throw missing("identity verification session", of, "verification_session", 400);
  const within = createdFilter(query);
  const rows = (place ? [place.index] : indexes(world))
    .filter((index) => type === "document" && (reference === null || personOf(world, index).customer === reference))
    .flatMap((index) =>
      course(world, index)
        .attempts.map((created, attempt) => ({ place: [index, attempt] as const, created }))
        .filter(({ created }) => within(created))
        .reverse(),
    );
  const page = pageOf(rows, query, ranker(world, "vr"));
  return list(
    url,
    page.rows.map(({ place: [index, attempt] }) => shownReport(asked, index, attempt, tree)!),
    page.more,
  );
}

const MOST_TYPES = 20;

function events(asked: Asked): List<unknown> {
  const { world, url } = asked;
  const query = url.searchParams;
  expansions("event", query, true);
  const types = valuesOf(query, "types");
  if (types.length > MOST_TYPES) throw badRequest("You may only specify up to 20 types.", "types");
  const type = query.get("type");
  if (type !== null && types.length > 0) throw badRequest("You may only specify one of type, types.");
  const within = createdFilter(query);
  const all = asked.events.list((index) => bare(asked, index));
  const rows = (world.size === 0 ? [] : all).filter(
    (row) => within(row.created) && (type ?? row.type) === row.type && (types.length === 0 || types.includes(row.type)),
  );
  const page = pageOf(rows, query, (id, param) => {
    const found = all.find(({ event }) => event.id === id);
    if (!found) throw missing("event", id, param, 400);
    return found.place;
  });
  return list(
    url,
    page.rows.map(({ event }) => event),
    page.more,
  );
}

const contentsUrl = ({ rights, filesOrigin }: Asked, id: string) =>
  rights.contents ? `${filesOrigin}/v1/files/${id}/contents` : null;

function file(asked: Asked, id: string): FileObject {
  expansions("file", asked.url.searchParams, false);
  const slot = asked.shelf.find(id);
  if (!slot || asked.world.size === 0) throw missing("file upload", id, "file");
  return asked.shelf.metadata(slot, (name) => contentsUrl(asked, name));
}

function fileLink(asked: Asked): FileLink {
  const { world, shelf, form, live, filesOrigin, answer: number } = asked;
  const tree = expansions("link", form, false);
  const id = form.get("file") ?? "";
  const slot = shelf.find(id);
  if (!slot || world.size === 0) throw missing("file upload", id, "file", 400);
  const now = Math.floor(world.now() / 1000);
  const expires = Number(form.get("expires_at") ?? "x");
  if (!Number.isInteger(expires)) throw badRequest("Links to this file must have expires_at.", "expires_at");
  if (expires <= now) throw badRequest("The timestamp must be in the future.", "expires_at");
  if (expires > now + LINK_SECONDS) throw badRequest("Links to this file must expire within 30 seconds.", "expires_at");
  return {
    id: stripeId(world.seed, "link", slot.index, number),
    object: "file_link",
    created: now,
    expired: false,
    expires_at: expires,
    file: tree.has("file") ? shelf.metadata(slot, (name) => contentsUrl(asked, name)) : id,
    livemode: live,
    metadata: {},
    url: `${filesOrigin}/links/${makeToken(world.seed, id, expires, number)}`,
  };
}

function account({ url, account: id }: Asked): unknown {
  expansions("account", url.searchParams, false);
  return {
    id,
    object: "account",
    business_profile: { name: "Specimen Bank (does not exist)" },
    country: "LV",
    settings: { dashboard: { display_name: "Specimen Bank", timezone: "Etc/UTC" } },
    type: "standard",
  };
}
