import * as z from "zod";
import { scalarText } from "../../io/exact-json.ts";
import { broken, checked, list, object, parseAnswer, plainId, time } from "../answer.ts";

/**
 * Answers of Sumsub's API. Any member may be missing, null, or of an unknown kind. That must not lose a record, since the
 * exact text is kept beside what is read here.
 */
export type Members = Readonly<Record<string, unknown>>;

/** Deeper than any object of the API; sorting arrays walks an answer recursively. */
const MAX_DEPTH = 100;

/** `2026-01-02 03:04:05` means GMT; reviews add `+0000`. */
const DIALECT = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:?\d\d)?$/;

export const parsed = (name: string, text: string): unknown => parseAnswer(name, text, MAX_DEPTH);

/** The applicant that was asked for. Older answers have it in a list. */
export function parseApplicant(name: string, text: string): Members & { readonly id: string } {
  const said = object(parsed(name, text));
  const [first] = list(object(said.list).items);
  const applicant = "id" in said ? said : object(first);
  return { ...applicant, ...checked(name, z.object({ id: plainId }), applicant) };
}

/** An answer that is an object. */
export function parseObject(name: string, text: string): Members {
  const said = parsed(name, text);
  if (typeof said !== "object" || said === null || Array.isArray(said)) throw broken(name, "the answer is no object");
  return object(said);
}

/** The elements of `items`. */
export function parseItems(name: string, text: string): readonly Members[] {
  const { items } = parseObject(name, text);
  if (!Array.isArray(items)) throw broken(name, "the answer has no items");
  return items.map(object);
}

/** An instant in any of Sumsub's dialects, as RFC 3339 UTC, or null. */
export function timeOf(value: unknown): string | null {
  const [, day, clock, zone = "Z"] = (typeof value === "string" && DIALECT.exec(value)) || [];
  return (day !== undefined && time.safeParse(`${day}T${clock}${zone}`).data) || null;
}

/** The last of some instants. */
export function latest(times: readonly (string | null)[]): string | null {
  const known = times.filter((each) => each !== null);
  return known.sort((one, other) => Date.parse(one) - Date.parse(other)).at(-1) ?? null;
}

/** An id that may be part of a path: ids of images are numbers, in some answers JSON numbers. */
export function idOf(value: unknown): string | undefined {
  return plainId.safeParse(scalarText(value)).data;
}
