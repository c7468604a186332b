/** An unchecked section of a document. */
export type Raw = Readonly<Record<string, unknown>>;

/** The section, or an empty one if the value is not a section. */
export function raw(value: unknown): Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : {};
}

/** The list, or an empty one if the value is not a list. */
export function rawList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The maximum number of clients in a config. */
export const MAX_CLIENTS = 1000;

/** The clients, up to the schema's maximum: some rules compare every pair. */
export function rawClients(document: unknown): readonly Raw[] {
  return rawList(raw(document).clients).slice(0, MAX_CLIENTS).map(raw);
}
