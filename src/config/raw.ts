/** A section of a document that has not been checked. */
export type Raw = Readonly<Record<string, unknown>>;

/** The section, or an empty one if it is none. */
export function raw(value: unknown): Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : {};
}

/** The list, or an empty one if it is none. */
export function rawList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
