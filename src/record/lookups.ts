import type { Identity } from "../core/identity.ts";
import { scalarText } from "../io/exact-json.ts";
import { documentNumbers } from "./datapoints.ts";
import { plainSpelling } from "./spellings.ts";
import type { Tokens } from "./tokens.ts";

/** Maximum tokens per field: a record's tokens are in its log entry, which is limited to 65,535 bytes. */
export const MAX_VALUES = 100;

/**
 * The tokens to find a record without opening it: lookup name to token.
 * @param fields `email`, `document.number` or `metadata.<name>`
 */
export function lookupTokens(identity: Identity, fields: readonly string[], tokens: Tokens): Record<string, string> {
  const found: Record<string, string> = {};
  for (const field of fields) {
    // A second value of the same kind gets `<name>/2`, and is found by the same name. A plain spelling that differs
    // from its value comes after all values, so it is dropped first if there are too many.
    const values = lookupValues(identity, field);
    const plain = values.map((value) => plainSpelling(field, value)).filter((value) => value !== "");
    const distinct = new Set([...new Set([...values, ...plain])].map((value) => tokens.lookup(field, value)));
    for (const [position, token] of [...distinct].slice(0, MAX_VALUES).entries())
      found[position === 0 ? field : `${field}/${position + 1}`] = token;
  }
  return found;
}

function lookupValues(identity: Identity, field: string): string[] {
  return rawValues(identity, field).filter((value) => value.trim() !== "");
}

function rawValues(identity: Identity, field: string): string[] {
  if (field === "email") return identity.owner.email === null ? [] : [identity.owner.email];
  if (field === "document.number") return documentNumbers(identity);
  let value = identity.metadata;
  for (const name of field.split(".").slice(1)) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return [];
    value = (value as Record<string, unknown>)[name];
  }
  const text = scalarText(value);
  return text === null ? [] : [text];
}
