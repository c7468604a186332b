import { scalarText } from "../../io/exact-json.ts";
import { list, object } from "../answer.ts";

/**
 * Fields of an inquiry or an account: `{type, value}`, with keys in kebab or snake case, nested under `value` in
 * accounts. Keys are compared by their letters only.
 */
type Fields = Readonly<Record<string, unknown>>;

const letters = (key: string): string => key.replace(/[^a-z]/gi, "").toLowerCase();

/** The text of the field at the end of the path, each step named by its letters. */
export function fieldText(fields: Fields, ...path: readonly string[]): string | null {
  let value: unknown = fields;
  for (const step of path) {
    const key = Object.keys(object(value)).find((name) => letters(name) === step);
    value = key === undefined ? undefined : object(object(value)[key]).value;
  }
  return scalarText(value) || null;
}

export interface Datapoints {
  readonly type: string;
  readonly datapoints: Readonly<Record<string, unknown>>;
}

/** All fields with a plain value. Each object in a list becomes datapoints of its own, such as an account's numbers. */
export function fieldDatapoints(type: string, fields: Fields): Datapoints[] {
  const plain: [string, unknown][] = [];
  const listed: Datapoints[] = [];
  const collect = (members: Fields, prefix: string): void => {
    for (const [key, field] of Object.entries(members)) {
      const { type: kind, value } = object(field);
      if (kind === "file") continue;
      if (isPlain(value)) plain.push([prefix + key, value]);
      else if (Array.isArray(value)) {
        for (const item of list(value)) listed.push(...fieldDatapoints(`${type}/${key}`, object(object(item).value)));
      } else collect(object(value), `${prefix}${key}_`);
    }
  };
  collect(fields, "");
  return plain.length === 0 ? listed : [{ type, datapoints: Object.fromEntries(plain) }, ...listed];
}

/** Whether a value says something and has no parts. */
export function isPlain(value: unknown): boolean {
  return typeof value === "boolean" || (scalarText(value) ?? "") !== "";
}
