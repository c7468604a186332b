/** The form of an answer by `Persona-Version` and `Key-Inflection`. */

export const VERSIONS = ["2025-12-08", "2025-10-27", "2023-01-05"] as const;
export type Version = (typeof VERSIONS)[number];
export const INFLECTIONS = ["kebab", "camel", "snake"] as const;
export type Inflection = (typeof INFLECTIONS)[number];

/** What a request gets that pins neither: the key's settings in the dashboard, here as unlike the pinned ones as can be. */
export const KEY_DEFAULTS = { version: "2023-01-05", inflection: "camel" } as const;

type Values = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Before 2025-10-27 the fields were also attributes of the inquiry, before 2025-12-08 reports had a run-history. */
function older(object: unknown, version: Version): unknown {
  if (!isObject(object) || !isObject(object.attributes)) return object;
  const { attributes } = object;
  const extra: Record<string, unknown> = {};
  if (version < "2025-10-27" && object.type === "inquiry" && isObject(attributes.fields)) {
    for (const [name, field] of Object.entries(attributes.fields)) if (isObject(field)) extra[name] = field.value;
  }
  if (version < "2025-12-08" && String(object.type).startsWith("report/")) extra["run-history"] = [];
  return { ...object, attributes: { ...extra, ...attributes } };
}

function inflect(name: string, inflection: Inflection): string {
  if (inflection === "kebab") return name.replaceAll("_", "-");
  if (inflection === "snake") return name.replaceAll("-", "_");
  return name.replace(/[-_]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function rename(value: unknown, version: Version, inflection: Inflection): unknown {
  if (Array.isArray(value)) return value.map((item) => rename(item, version, inflection));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      inflect(name, inflection),
      name === "fields" && version >= "2025-10-27" ? item : rename(item, version, inflection),
    ]),
  );
}

export function shape(answer: Values, version: Version, inflection: Inflection): unknown {
  const all = (part: unknown) =>
    Array.isArray(part) ? part.map((object) => older(object, version)) : older(part, version);
  const aged =
    version === VERSIONS[0]
      ? answer
      : Object.fromEntries(Object.entries(answer).map(([name, part]) => [name, all(part)]));
  return rename(aged, version, inflection);
}
