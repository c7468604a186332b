import * as z from "zod";
import { broken, checked, list, object, parseAnswer, plainId, time } from "../answer.ts";

/**
 * Answers of Persona's API, version 2025-12-08, keys in kebab case. Any attribute may be missing, null, or of an unknown
 * kind. That must not lose a record, since the exact text is kept beside what is read here.
 */
const resource = z.object({
  type: z.string().regex(/^[a-z0-9_/-]{1,100}$/),
  id: plainId,
  attributes: z.unknown().optional(),
});
const single = z.object({ data: resource, included: z.unknown().optional() });
const listing = z.object({ data: z.array(z.unknown()), links: z.object({ next: z.string().nullable() }) });

/** Deeper than any object of the API; sorting arrays walks an answer recursively. */
const MAX_DEPTH = 100;

/** An object of the API. */
export interface Resource {
  readonly type: string;
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly relationships: Readonly<Record<string, unknown>>;
  /** The object as it came. */
  readonly raw: unknown;
}

export interface Reference {
  readonly type: string;
  readonly id: string;
}

function asResource(value: unknown): Resource | undefined {
  const { success, data } = resource.safeParse(value);
  if (!success) return undefined;
  const { attributes, relationships } = object(value);
  return { ...data, attributes: object(attributes), relationships: object(relationships), raw: value };
}

/** An answer about one object. */
export function parseSingle(name: string, text: string, wanted: string): { data: Resource; included: Resource[] } {
  const raw = parseAnswer(name, text, MAX_DEPTH);
  const { included } = checked(name, single, raw);
  const data = asResource(object(raw).data)!;
  if (data.id !== wanted) throw broken(name, "the answer is for another object");
  return { data, included: resources(list(included)) };
}

/** A page of a list of objects. `next`: whether there is another page. */
export function parseList(name: string, text: string): { data: Resource[]; next: boolean } {
  const { data, links } = checked(name, listing, parseAnswer(name, text, MAX_DEPTH));
  return { data: resources(data), next: links.next !== null };
}

function resources(values: readonly unknown[]): Resource[] {
  return values.flatMap((value) => asResource(value) ?? []);
}

/** The objects that a relation names. An absent one is null or {}. */
export function related({ relationships }: Resource, name: string): Reference[] {
  const { data } = object(relationships[name]);
  const named = (Array.isArray(data) ? data : [data]).flatMap((value) => {
    const { type, id: given } = object(value);
    const { success, data: read } = plainId.safeParse(given);
    return success ? [{ type: String(type), id: read }] : [];
  });
  return [...new Map(named.map((reference) => [reference.id, reference])).values()];
}

/** The instant in an attribute, or null. */
export function timeOf({ attributes }: Resource, ...names: readonly string[]): string | null {
  for (const name of names) {
    const { success, data } = time.safeParse(attributes[name]);
    if (success) return data;
  }
  return null;
}

/** All objects in an answer, about one object or a list. */
export function parseObjects(name: string, text: string): Resource[] {
  const { data, included } = object(parseAnswer(name, text, MAX_DEPTH));
  return resources([...(Array.isArray(data) ? data : [data]), ...list(included)]);
}

/** Attributes that every inquiry has. A key's attribute blocklist takes some away, and no answer says so. */
const ALWAYS = [
  ...["status", "reference-id", "note", "behaviors", "tags", "creator", "reviewer-comment", "created-at", "updated-at"],
  ...["started-at", "expires-at", "completed-at", "failed-at", "marked-for-review-at", "decisioned-at", "expired-at"],
  ...["redacted-at", "previous-step-name", "next-step-name", "fields"],
];

export function missingAttributes({ attributes }: Resource): string[] {
  return ALWAYS.filter((name) => !Object.hasOwn(attributes, name));
}
