import { isObject } from "../json.ts";
import type { CheckRow } from "./dossier.ts";

/** Untrusted JSON: members of an object, or none. */
export function members(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** A provider's answers, by the endpoint that gave them. */
export class Answers {
  readonly #answers: readonly { readonly endpoint: unknown; readonly value: unknown }[];

  constructor(raw: unknown) {
    this.#answers = items(raw).map((answer) => {
      const { endpoint, text } = members(answer);
      return { endpoint, value: typeof text === "string" ? parsed(text) : null };
    });
  }

  of(endpoint: string): Readonly<Record<string, unknown>>[] {
    return this.#values(endpoint).map(members);
  }

  /** The elements of all lists that an endpoint gave: below this key, or bare. */
  listed(endpoint: string, key: string | null): Readonly<Record<string, unknown>>[] {
    return this.#values(endpoint)
      .flatMap((value) => items(key === null ? value : members(value)[key]))
      .map(members);
  }

  #values(endpoint: string): unknown[] {
    return this.#answers.filter((answer) => answer.endpoint === endpoint).map(({ value }) => value);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const MAX_DEPTH = 8;

/** A value as lines: an object's members below its name. What is empty is left out. */
export function valueRows(path: readonly string[], value: unknown, depth = path.length): CheckRow[] {
  if (depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) {
    const [above, last = ""] = [path.slice(0, -1), path.at(-1)];
    return value.flatMap((item, at) =>
      valueRows([...above, value.length > 1 ? `${last} ${at + 1}` : last], item, depth + 1),
    );
  }
  if (isObject(value)) return below({ path, value: null }, rowsIn(path, value));
  if (typeof value === "boolean" || typeof value === "number") return [{ path, value }];
  return typeof value === "string" && value !== "" ? [{ path, value }] : [];
}

/** The members of an object, without a line for itself. */
export function rowsIn(path: readonly string[], value: unknown): CheckRow[] {
  return Object.entries(members(value)).flatMap(([name, item]) => valueRows([...path, name], item));
}

/** A line with what is below it; nothing if it says nothing itself and nothing is below. */
export function below(row: CheckRow, rows: readonly CheckRow[]): CheckRow[] {
  return row.value === null && rows.length === 0 ? [] : [row, ...rows];
}

/** Seconds since 1970, which is how some providers write a time. */
export function fromUnixSeconds(value: unknown): string | null {
  if (typeof value !== "number" || !(Math.abs(value) < 1e11)) return null;
  return new Date(value * 1_000).toISOString();
}
