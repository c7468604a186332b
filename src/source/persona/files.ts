import { createHash } from "node:crypto";
import type { FileRef } from "../../core/identity.ts";
import { scalarText } from "../../io/exact-json.ts";
import { object, word } from "../answer.ts";
import { type Resource, related, timeOf } from "./answers.ts";
import { TOKEN } from "./content.ts";

/** A place that names a file's URL. A file has no id, so the place and the file's name are its name. */
export interface UrlPlace {
  readonly ref: FileRef;
  readonly url: string;
}

/** One picture at one place: its URLs, and what tells it from others. */
interface Picture {
  readonly resource: Resource;
  /** The attribute at the top: two pictures in one list are never the same picture. */
  readonly attribute: string;
  /** `front`, `back`, `selfie`, …, or `file`. */
  readonly role: string;
  /** What the role is a role of: a verification's front is that of its document. */
  readonly scope: string;
  readonly names: ReadonlySet<string>;
  readonly size: string | null;
  readonly rank: number;
  readonly places: readonly UrlPlace[];
}

/** The files that can be read from these objects, each picture once, originals before what Persona made of them. */
export function filesOf(resources: readonly Resource[]): UrlPlace[] {
  const pictures = picturesIn(resources)
    .map((picture) => ({ picture, order: [picture.rank, orderOf(picture.resource.type), picture.places[0]!.ref.id] }))
    .sort((one, other) => compare(one.order, other.order))
    .map(({ picture }) => picture);
  const taken = new Map<string, Picture[]>();
  return pictures.flatMap((picture) => {
    const keys = [...picture.names].map((name) => JSON.stringify([picture.scope, picture.role, name]));
    const isKnown = keys.some((key) => taken.get(key)?.some((other) => isSame(picture, other)));
    // A known one counts as well: beside it, the same object may name it once more without a size.
    for (const key of keys) taken.set(key, [...(taken.get(key) ?? []), picture]);
    return isKnown ? [] : picture.places;
  });
}

/** All places in these objects, so that a file whose place is known can be looked up again. */
export function placesIn(resources: readonly Resource[]): UrlPlace[] {
  return picturesIn(resources).flatMap(({ places }) => places);
}

function picturesIn(resources: readonly Resource[]): Picture[] {
  const parents = new Map(
    resources.flatMap((parent) => related(parent, "document-files").map(({ id }) => [id, parent] as const)),
  );
  return resources.flatMap((resource) => picturesOf(resource, parents.get(resource.id)));
}

/**
 * Names are not unique (`image.jpg`), so the same name alone means nothing: the role must be the same as well, and the
 * size. Within one object the size may be unknown.
 */
function isSame(one: Picture, other: Picture): boolean {
  const isNear = one.resource.id === other.resource.id;
  if (isNear && one.attribute === other.attribute) return false;
  return one.size !== null && other.size !== null ? one.size === other.size : isNear;
}

function picturesOf(resource: Resource, parent: Resource | undefined): Picture[] {
  const { type } = resource;
  // The links in a report lead to other people's pages.
  if (type.startsWith("report")) return [];
  const found: Picture[] = [];
  const updated = timeOf(parent ?? resource, "processed-at", "completed-at", "created-at");
  const add = (path: readonly string[], said: string, urls: readonly (readonly [string, string])[], of = {}) => {
    const { filename, "byte-size": bytes, "original-urls": originals } = of as Record<string, unknown>;
    const role = roleOf(type === "document-file" ? (word(resource.attributes.name) ?? "") : said);
    const size = scalarText(bytes);
    const places = urls.map(([key, url]) => place(resource, [...path, key], url, size, role, updated));
    const named = [filename, object(of).url, object(of)["normalized-url"], ...[originals].flat()].map(nameIn);
    found.push({
      resource,
      attribute: path[0] ?? urls[0]![0],
      role,
      scope: scopeOf(resource, parent, role),
      names: new Set([...named, ...urls.map(([, url]) => nameIn(url))].filter((name) => name !== "")),
      size,
      rank: type === "document-file" ? 0 : Array.isArray(originals) && originals.length > 0 ? 1 : size === null ? 3 : 2,
      places,
    });
  };
  const walk = (value: unknown, path: readonly string[]): void => {
    if (Array.isArray(value)) {
      for (const [name, item] of named(value)) walk(item, [...path, name]);
      return;
    }
    const members = object(value);
    const originals = keyed(members["original-urls"]);
    if (originals.length > 0) add([...path, "original-urls"], saidOf(members, path), originals, members);
    else if (fileUrl(members.url)) add(path, saidOf(members, path), [["url", String(members.url)]], members);
    else if (fileUrl(members["normalized-url"]))
      add(path, saidOf(members, path), [["normalized-url", String(members["normalized-url"])]], members);
    for (const [key, member] of Object.entries(members)) {
      if (key === "original-urls" || key === "normalized-url" || key === "url") continue;
      if (key.endsWith("-url") && fileUrl(member)) add(path, key, [[key, String(member)]]);
      else if (typeof member === "object") walk(member, [...path, key]);
    }
  };
  walk(resource.attributes, []);
  return found;
}

const saidOf = (members: Readonly<Record<string, unknown>>, path: readonly string[]): string =>
  word(members.page) ?? path.findLast((step) => /photo|video|image/.test(step)) ?? "";

/** `front-photo-url`, `front-photo` and page `front` say the same. */
function roleOf(said: string): string {
  const [role] = /front|back|left|right|center|selfie|portrait|video/.exec(said.toLowerCase()) ?? ["file"];
  return role === "center" ? "selfie" : role;
}

function scopeOf(resource: Resource, parent: Resource | undefined, role: string): string {
  if (role === "selfie") return "";
  return (parent ?? related(resource, "document").at(0) ?? resource).id;
}

function place(
  resource: Resource,
  path: readonly string[],
  url: string,
  size: string | null,
  role: string,
  updated: string | null,
): UrlPlace {
  // A new capture has another name, size or time.
  const id = [resource.id, ...path.map(step), step(nameIn(url))].join("/") + (size === null ? "" : `#${step(size)}`);
  const ref: FileRef = {
    id,
    resource: resource.id,
    type: typeOf(resource.type, role, path),
    page: role === "front" ? 1 : role === "back" ? 2 : null,
    updated: updated ?? "1970-01-01T00:00:00Z",
  };
  return { ref, url };
}

/** A closed list: types are logged in clear text. */
function typeOf(type: string, role: string, path: readonly string[]): string {
  if (role === "video") return type === "verification/selfie" ? "face_video" : "document_video";
  if (role !== "file" && role !== "front" && role !== "back") return "face_image";
  if (type === "case") return "case_file";
  if (path[0] === "fields") return "field_file";
  return role === "file" ? "document_file" : "document_image";
}

const ORDER = ["document-file", "verification/selfie", "verification", "document", "case", "transaction", "inquiry"];

function orderOf(type: string): number {
  const at = ORDER.findIndex((name) => type === name || type.startsWith(`${name}/`));
  return at < 0 ? ORDER.length : at;
}

function compare(one: readonly (string | number)[], other: readonly (string | number)[]): number {
  const at = one.findIndex((part, index) => part !== other[index]);
  if (at < 0) return 0;
  return one[at]! < other[at]! ? -1 : 1;
}

/** The elements of a list under names that stay when it is reordered: the page, or the file's name; numbered if equal. */
function named(items: readonly unknown[]): [string, unknown][] {
  const sorted = items
    .map((item) => ({ item, name: word(object(item).page) ?? word(object(item).filename) ?? "" }))
    .map(({ item, name }) => ({ item, name, text: `${name} ${scalarText(object(item)["byte-size"]) ?? ""}` }))
    .sort((one, other) => compare([one.text], [other.text]));
  return numbered(sorted.map(({ item, name }) => [name, item]));
}

function keyed(urls: unknown): [string, string][] {
  const files = (Array.isArray(urls) ? urls : []).filter((url) => fileUrl(url));
  return numbered(files.map((url): [string, string] => [nameIn(url), url]).sort(([a], [b]) => compare([a], [b])));
}

function numbered<T>(items: readonly (readonly [string, T])[]): [string, T][] {
  const counts = new Map<string, number>();
  return items.map(([name, item]) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return [count === 1 && name !== "" ? name : `${name}~${count}`, item];
  });
}

/** A URL with a token is a file's. */
function fileUrl(value: unknown): boolean {
  return typeof value === "string" && value.includes(TOKEN) && (URL.parse(value)?.searchParams.has(TOKEN) ?? false);
}

/** The last part of a URL's path, or a file's name as it is. */
function nameIn(value: unknown): string {
  if (typeof value !== "string") return "";
  const path = URL.parse(value)?.pathname;
  return path === undefined ? value : path.slice(path.lastIndexOf("/") + 1);
}

/** A step of a path: from outside, so short and plain, else its digest. */
function step(text: string): string {
  if (/^[A-Za-z0-9._~-]{1,60}$/.test(text)) return text;
  return `~${createHash("sha256").update(text).digest("hex").slice(0, 20)}`;
}
