declare global {
  interface JSON {
    rawJSON(text: string): { readonly rawJSON: string };
    isRawJSON(value: unknown): value is { readonly rawJSON: string };
  }
}

type ExactReviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/**
 * A number that a JavaScript number would round is kept as the text it was written in; JSON.stringify gives it back.
 * Up to 15 characters nothing is rounded, unless the exponent leaves the range of normal numbers (`1e400`, `1.234e-320`).
 */
const keepExactNumbers: ExactReviver = (_key, value, { source }) =>
  typeof value === "number" &&
  source !== undefined &&
  (source.length > 15 || /[eE][+-]?\d{3}/.test(source)) &&
  String(value) !== source
    ? JSON.rawJSON(source)
    : value;

/** JSON.parse without loss. Untrusted; throws SyntaxError. */
export function parseExact(text: string): unknown {
  // A reviver costs several times the parse, and nearly no answer needs it.
  return /[0-9.eE+-]{16}|\d[eE][+-]?\d{3,}\s*(?:[,\]}]|$)/.test(text)
    ? JSON.parse(text, keepExactNumbers as Parameters<typeof JSON.parse>[1])
    : JSON.parse(text);
}

/** A string or number, exact, as a string; null for anything else. */
export function scalarText(value: unknown): string | null {
  if (typeof value === "string" || typeof value === "number") return String(value);
  return JSON.isRawJSON(value) ? value.rawJSON : null;
}
