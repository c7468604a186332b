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

/** The most a config may have. */
export const MAX_CLIENTS = 1000;

/** Its clients, as far as the schema will take them: rules compare each with each. */
export function rawClients(document: unknown): readonly Raw[] {
  return rawList(raw(document).clients).slice(0, MAX_CLIENTS).map(raw);
}
