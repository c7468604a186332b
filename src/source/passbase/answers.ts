import { z } from "zod";
import { HoldfastError } from "../../error.ts";
import type { FileRef, Identity } from "../../identity.ts";
import { parseExact, scalarText } from "../../json.ts";
import type { Listed, Project } from "../source.ts";

/**
 * What the Verification API v2 answers. Any field but an id and a time may be missing, null, or of a kind not seen
 * before: nobody's record is lost for that, since the exact text is kept beside what is read here.
 */
/** Half a surrogate pair is in no URL. */
const text = z.string().refine((value) => value.isWellFormed());
/** Ids are joined by NUL where tokens are made of them. */
const id = text
  .min(1)
  .max(200)
  .refine((value) => !value.includes("\0"));
const seconds = z.preprocess(rounded, z.number().min(0).max(253_402_300_799));
const page = z.object({
  cursor: z.object({ next: text.max(4096).nullish() }).nullish(),
  data: z.array(z.unknown()),
});
const identity = z.object({ id, updated: seconds.nullish(), created: seconds.nullish() });
const resource = z.object({
  id,
  type: z.string().nullish(),
  step: z.string().nullish(),
  resource_files: z.array(z.unknown()).nullish(),
});
const file = z.object({ id, type: z.string().nullish(), updated: seconds.nullish(), created: seconds.nullish() });

/** The file types that the API documents. They are logged in clear; any other word is `other`, and is kept in `raw`. */
const FILE_TYPES: ReadonlySet<string> = new Set(["document_image", "face_video"]);

/** What the provider says of an identity. */
export const STATUSES = [
  ...(["created", "processing", "processed", "verified", "unverified", "pending", "approved", "declined"] as const),
];

export function parseIdentityPage(text: string): { identities: Listed[]; unreadable: number; next: string | null } {
  const { data, next } = parsePage("GET /identities", text);
  // One broken identity does not keep the others from their export.
  const identities = data.flatMap((raw) => {
    const { success, data: read } = identity.safeParse(raw);
    if (!success) return [];
    const { id, created, updated } = read;
    const status = word((raw as Record<string, unknown>).status) ?? "unknown";
    return [{ id, created: instant(created ?? updated ?? 0), updated: instant(updated ?? created ?? 0), status, raw }];
  });
  return { next, identities, unreadable: data.length - identities.length };
}

export function parseIdentity(text: string): { identity: Identity; raw: unknown; redacted: boolean } {
  const raw = parseJson("GET /identities/{id}", text);
  const { id, updated, created } = check("GET /identities/{id}", identity, raw);
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

/** `first` is the id of its first resource: where pages go in circles, that comes back. */
export function parseResourcePage(text: string): { files: FileRef[]; next: string | null; first: string | undefined } {
  const name = "GET /identity/{id}/resources";
  const { data, next } = parsePage(name, text);
  let first: string | undefined;
  const files = data.flatMap((item) => {
    const { id: resourceId, resource_files } = check(name, resource, item);
    first ??= resourceId;
    return (resource_files ?? []).map((entry) => {
      const { id, type, updated, created } = check(name, file, entry);
      return {
        id,
        resource: resourceId,
        type: type != null && FILE_TYPES.has(type) ? type : "other",
        page: pageNumber(object(entry).page),
        updated: instant(updated ?? created ?? 0),
      };
    });
  });
  return { files, next, first };
}

export function parseProject(text: string): Project {
  const fields = object(parseJson("GET /settings", text));
  return {
    id: scalarText(fields.id) ?? "unknown",
    name: scalarText(fields.slug) ?? "unknown",
    environment: scalarText(fields.environment) ?? "unknown",
  };
}

/** The automatic verdict, and the client's own where somebody reviewed it. */
const VERDICT: ReadonlyMap<string, boolean> = new Map([
  ["verified", true],
  ["approved", true],
  ["unverified", false],
  ["declined", false],
]);

/** The API has no mark for it: what is left when a person had their data erased is an identity that names nobody. */
function isRedacted({ owner, documents }: Identity): boolean {
  const named = owner.email !== null || owner.firstName !== null || owner.lastName !== null;
  return !named && documents.every(({ datapoints }) => Object.values(datapoints).every((value) => value === null));
}

function parsePage(name: string, text: string): { data: unknown[]; next: string | null } {
  const { cursor, data } = check(name, page, parseJson(name, text));
  return { data, next: cursor?.next || null };
}

function parseJson(name: string, text: string): unknown {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch {
    // The parser's words quote the answer: not even a cause may hold them.
    throw new HoldfastError("source-response", `${name}: the answer is not JSON`, { mend });
  }
  if (isDeeper(value, MAX_DEPTH)) {
    throw new HoldfastError("source-response", `${name}: the answer is nested more than ${MAX_DEPTH} deep`, { mend });
  }
  return value;
}

/** Whatever walks an answer later, JSON.stringify among them, does so by recursion: some 2,000 levels end the stack. */
const MAX_DEPTH = 500;

function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth === 0) return true;
  for (const inner of Object.values(value)) if (isDeeper(inner, depth - 1)) return true;
  return false;
}

function check<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // Field names are the API's; values stay out of the message.
  const fields = [
    ...new Set(
      result.error.issues.map(
        (issue) => issue.path.filter((step) => typeof step === "string").join(".") || "the whole",
      ),
    ),
  ];
  throw new HoldfastError("source-response", `${name}: the answer lacks or misspells: ${fields.join(", ")}`, { mend });
}

const mend = "Check that source.url is the Verification API v2; if it is, the provider sent something broken.";

function instant(epochSeconds: number): string {
  return Temporal.Instant.fromEpochMilliseconds(Math.round(epochSeconds * 1000)).toString();
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A number kept as text because JavaScript would round it, where rounded is good enough. */
function rounded(value: unknown): unknown {
  return JSON.isRawJSON(value) ? Number(value.rawJSON) : value;
}

function finite(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function word(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function pageNumber(value: unknown): number | null {
  const text = scalarText(value) ?? "";
  return /^-?\d{1,15}$/.test(text) ? Number(text) : null;
}
