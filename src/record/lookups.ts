import type { Identity } from "../identity.ts";
import { scalarText } from "../json.ts";
import { documentNumbers } from "./datapoints.ts";
import type { Tokens } from "./tokens.ts";

/**
 * The tokens by which a record is found again without opening it: lookup name to token.
 * @param fields `email`, `document.number` or `metadata.<name>`
 */
export function lookupTokens(identity: Identity, fields: readonly string[], tokens: Tokens): Record<string, string> {
  const found: Record<string, string> = {};
  for (const field of fields) {
    const value = lookupValue(identity, field);
    if (value !== null && value.trim() !== "") found[field] = tokens.lookup(field, value);
  }
  return found;
}

function lookupValue(identity: Identity, field: string): string | null {
  if (field === "email") return identity.owner.email;
  if (field === "document.number") return documentNumbers(identity)[0] ?? null;
  let value = identity.metadata;
  for (const name of field.split(".").slice(1)) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return null;
    value = (value as Record<string, unknown>)[name];
  }
  return scalarText(value);
}
