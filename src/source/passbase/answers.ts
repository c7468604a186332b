import * as z from "zod";
import { HoldfastError } from "../../core/error.ts";
import type { FileRef, Identity } from "../../core/identity.ts";
import { scalarText } from "../../io/exact-json.ts";
import { broken, checked, list, object, parseAnswer, tooMuch, word } from "../answer.ts";
import { ListPage } from "../list-page.ts";
import { type List, type ListElement, ListReader } from "../list-reader.ts";
import { isPathStep } from "../path-step.ts";
import type { Entries, ListedIdentity, Project } from "../source.ts";

/**
 * Answers of the Verification API v2. Any field except an id and a time may be missing, null, or of an unknown kind.
 * That must not lose a record, since the exact text is kept beside what is parsed here. `created` is such a field.
 * `updated` is not: it names the version, and a retention period may count from it.
 */
/** No URL can contain half a surrogate pair. */
const text = z.string().refine((value) => value.isWellFormed());
/** Ids are joined by NUL when tokens are computed from them, and are steps of paths. */
const id = text.max(200).refine((value) => isPathStep(value) && !value.includes("\0"));
const seconds = z.preprocess(rounded, z.number().min(0).max(253_402_300_799));
const page = z.object({
  cursor: z.object({ next: text.max(4096).nullish() }).nullish(),
  data: z.array(z.unknown()),
});
const lenient = seconds.nullish().catch(null);
const identity = z.object({ id, updated: seconds.nullish(), created: lenient });
const resource = z.object({
  id,
  resource_files: z.array(z.unknown()).nullish(),
});
const file = z.object({ id, type: z.unknown().optional(), updated: seconds.nullish(), created: lenient });

/**
 * The file types that the API documents. They are logged in clear text; any other is `other`, with the original in
 * `raw`.
 */
const FILE_TYPES: ReadonlySet<string> = new Set(["document_image", "face_video"]);

/** The provider's words for an identity's status. */
export const STATUSES = [
  ...(["created", "processing", "processed", "verified", "unverified", "pending", "approved", "declined"] as const),
];

/** A page of the list, read while it arrives. A broken identity does not prevent the export of the others. */
export async function readIdentityPage(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<ListPage> {
  const reader = new ListReader();
  try {
    for await (const chunk of chunks) reader.push(chunk);
  } catch (error) {
    throw error instanceof RangeError ? tooMuch("GET /identities") : error;
  }
  return identityPage(reader);
}

/** The same, for a complete text. */
export function parseIdentityPage(text: string): ListPage {
  const reader = new ListReader();
  try {
    reader.push(Buffer.from(text));
  } catch (error) {
    throw error instanceof RangeError ? tooMuch("GET /identities") : error;
  }
  return identityPage(reader);
}

function identityPage(reader: ListReader): ListPage {
  const { frame, elements } = listOf("GET /identities", reader);
  const { data, next } = parsePage("GET /identities", frame);
  // A second list, with "data" spelled with escapes, would be overlooked.
  if (data.length > 0) throw broken("GET /identities", "the answer has two lists");
  return new ListPage(next, elements, entriesOf);
}

function entriesOf(elements: readonly ListElement[]): Entries {
  const identities: ListedIdentity[] = [];
  const unread: string[] = [];
  for (const element of elements) {
    const raw = element.text === undefined ? undefined : parsed("GET /identities", element.text);
    const { success, data: read } = identity.safeParse(raw);
    if (success) {
      const { id, created, updated } = read;
      const status = word((raw as Record<string, unknown>).status) ?? "unknown";
      identities.push({
        id,
        status,
        raw,
        bytes: element.bytes,
        created: instant(created ?? updated ?? 0),
        updated: instant(updated ?? created ?? 0),
      });
      continue;
    }
    const { data: named } = id.safeParse(raw === undefined ? parsed("id", element.id ?? "") : object(raw).id);
    if (named !== undefined) unread.push(named);
  }
  return { identities, unread, unreadable: elements.length - identities.length - unread.length };
}

function listOf(name: string, reader: ListReader): List {
  try {
    return reader.finish();
  } catch (error) {
    throw new HoldfastError("source-response", `${name}: the answer is not UTF-8`, { cause: error });
  }
}

/** Undefined if it is not valid JSON. */
function parsed(name: string, text: string): unknown {
  try {
    return parseAnswer(name, text);
  } catch {
    return undefined;
  }
}

export function parseIdentity(text: string): { identity: Identity; raw: unknown; redacted: boolean } {
  const raw = parseAnswer("GET /identities/{id}", text);
  const { id, updated, created } = checked("GET /identities/{id}", identity, raw);
  const fields = raw as Record<string, unknown>;
  const owner = object(fields.owner);
  const status = word(fields.status) ?? "unknown";
  const read: Identity = {
    id,
    status,
    verified: VERDICT.get(status) ?? null,
    created: created == null ? null : instant(created),
    updated: instant(updated ?? created ?? 0),
    owner: { email: word(owner.email), firstName: word(owner.first_name), lastName: word(owner.last_name) },
    score: finite(rounded(fields.score)),
    documents: list(fields.resources).map((item) => {
      const { type, datapoints } = object(item);
      return { type: word(type) ?? "unknown", datapoints: object(datapoints) };
    }),
    metadata: fields.metadata ?? null,
    watchlist: fields.watchlist ?? null,
    network: fields.network ?? null,
  };
  return { identity: read, raw, redacted: isRedacted(read) };
}

/** `first` is the id of the first resource: it comes back if pages go in circles. */
export function parseResourcePage(text: string): {
  data: unknown[];
  files: FileRef[];
  next: string | null;
  first: string | undefined;
} {
  const name = "GET /identity/{id}/resources";
  const { data, next } = parsePage(name, text);
  let first: string | undefined;
  const files = data.flatMap((item) => {
    const { id: resourceId, resource_files } = checked(name, resource, item);
    first ??= resourceId;
    return (resource_files ?? []).map((entry) => {
      const { id, type, updated, created } = checked(name, file, entry);
      return {
        id,
        resource: resourceId,
        type: typeof type === "string" && FILE_TYPES.has(type) ? type : "other",
        page: pageNumber(object(entry).page),
        updated: instant(updated ?? created ?? 0),
      };
    });
  });
  return { data, files, next, first };
}

/** Resources by their ids, and their files by theirs: pages may shift, and an order that means nothing is no change. */
export function inOrder(resources: readonly unknown[]): unknown[] {
  return byId(
    resources.map((item) => {
      const { resource_files: files } = object(item);
      return Array.isArray(files) ? { ...object(item), resource_files: byId(files) } : item;
    }),
  );
}

function byId(items: readonly unknown[]): unknown[] {
  const idOf = (item: unknown): string => word(object(item).id) ?? "";
  return items.toSorted((one, other) => (idOf(one) < idOf(other) ? -1 : Number(idOf(one) > idOf(other))));
}

export function parseProject(text: string): Project {
  const fields = object(parseAnswer("GET /settings", text));
  const id = scalarText(fields.id);
  // Runs tell by it whether the source is still the same one.
  if (!id) throw broken("GET /settings", "missing or malformed fields: id");
  return {
    id,
    name: scalarText(fields.slug) ?? "unknown",
    environment: scalarText(fields.environment) ?? "unknown",
  };
}

/** The automatic verdict, or the client's own if someone reviewed it. */
const VERDICT: ReadonlyMap<string, boolean> = new Map([
  ["verified", true],
  ["approved", true],
  ["unverified", false],
  ["declined", false],
]);

/** The API does not mark redacted identities: after an erasure, the identity remains but names no one. */
function isRedacted({ owner, documents }: Identity): boolean {
  const named = owner.email !== null || owner.firstName !== null || owner.lastName !== null;
  return !named && documents.every(({ datapoints }) => Object.values(datapoints).every((value) => value === null));
}

function parsePage(name: string, text: string): { data: unknown[]; next: string | null } {
  const { cursor, data } = checked(name, page, parseAnswer(name, text));
  return { data, next: cursor?.next || null };
}

function instant(epochSeconds: number): string {
  // Most are whole seconds. Each night has two for everyone, and Temporal takes twice as long.
  if (Number.isInteger(epochSeconds)) return new Date(epochSeconds * 1000).toISOString().replace(".000Z", "Z");
  return Temporal.Instant.fromEpochMilliseconds(Math.round(epochSeconds * 1000)).toString();
}

/** Rounds a number that is kept as text to avoid rounding, for uses where that is accurate enough. */
function rounded(value: unknown): unknown {
  return JSON.isRawJSON(value) ? Number(value.rawJSON) : value;
}

function finite(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function pageNumber(value: unknown): number | null {
  const text = scalarText(value) ?? "";
  return /^-?\d{1,15}$/.test(text) ? Number(text) : null;
}
