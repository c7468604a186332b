import * as z from "zod";
import { broken, checked, list, object, parseAnswer, plainId, time } from "../answer.ts";
import { textWithout } from "../secrets.ts";

/**
 * Answers of Onfido's API v3.6. Any member may be missing, null, or of an unknown kind: a report's breakdown is `[]`
 * while it is open. That must not lose a record, since the exact text is kept beside what is read here.
 */
/** Deeper than any object of the API; sorting arrays walks an answer recursively. */
const MAX_DEPTH = 100;

/** An object of the API that has an id. */
export interface Resource {
  readonly id: string;
  readonly said: Readonly<Record<string, unknown>>;
}

export const parsed = (name: string, text: string): unknown => parseAnswer(name, text, MAX_DEPTH);

/** An answer about one object. */
export function parseOne(name: string, text: string, wanted: string): Resource {
  const said = parsed(name, text);
  const read = checked(name, z.object({ id: plainId }), said);
  if (read.id !== wanted) throw broken(name, "the answer is for another object");
  return { id: read.id, said: object(said) };
}

/**
 * The elements of a list: a bare array, or the member of that name. What has no valid id is no resource, but part of
 * the answer.
 */
export function parseMany(name: string, text: string, key: string | null): readonly Resource[] {
  const said = parsed(name, text);
  const elements = key === null ? said : object(said)[key];
  if (!Array.isArray(elements)) throw broken(name, key === null ? "the answer is no list" : `the answer has no ${key}`);
  return elements.flatMap((element) => {
    const read = z.object({ id: plainId }).safeParse(element);
    return read.success ? [{ id: read.data.id, said: object(element) }] : [];
  });
}

/** The instant in a member, or null. */
export function timeOf({ said }: Resource, name: string): string | null {
  const { success, data } = time.safeParse(said[name]);
  return success ? data : null;
}

/** The ids in a list of `{id}`. */
export function idsIn(value: unknown): string[] {
  return list(value).flatMap((element) => {
    const { success, data } = plainId.safeParse(object(element).id);
    return success ? [data] : [];
  });
}

/** The newest first, by when they were created. */
export function newestFirst(resources: readonly Resource[]): Resource[] {
  const at = (resource: Resource) => Date.parse(timeOf(resource, "created_at") ?? "1970-01-01T00:00:00Z");
  return [...resources].sort((one, other) => at(other) - at(one) || (one.id < other.id ? -1 : 1));
}

/**
 * The text of an answer without what lets anyone continue the applicant's check: the token of an SDK, the address of a
 * workflow run's link, and that of a check's form.
 */
export function textWithoutSecrets(text: string): string {
  return textWithout(
    text,
    (path) =>
      ["sdk_token", "form_uri"].includes(String(path.at(-1))) || (path.at(-1) === "url" && path.at(-2) === "link"),
  );
}
