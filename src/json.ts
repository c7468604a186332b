declare global {
  interface JSON {
    rawJSON(text: string): { readonly rawJSON: string };
    isRawJSON(value: unknown): value is { readonly rawJSON: string };
  }
}

/** A number of 16 characters or more, or of an exponent that may leave the range of normal numbers (`1e400`, `1.2e-320`). */
const LONG = /[0-9.eE+-]{16}|\d[eE][+-]?\d{3,}\s*(?:[,\]}]|$)/;
/** Every string, as far as it goes, so that nothing in it is taken for a number; and such numbers. Linear in any text. */
const TOKENS = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|-\d[\d.eE+-]{14,}|\d[\d.eE+-]{15,}|-?\d[\d.]*[eE][+-]?\d{3,}/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Nobody who writes an answer can know it. */
const MARK = crypto.randomUUID();

/**
 * JSON.parse without loss: a number that a JavaScript number would round is kept as the text it was written in, and
 * JSON.stringify gives it back. Untrusted; throws SyntaxError.
 */
export function parseExact(text: string): unknown {
  if (!LONG.test(text)) return JSON.parse(text);
  let marked = false;
  // They go through as marked objects: a reviver, which is called for every value, costs several times the parse.
  const safe = text.replace(TOKENS, (token) => {
    if (token.startsWith('"') || String(Number(token)) === token || !NUMBER.test(token)) return token;
    marked = true;
    return `{"${MARK}":"${token}"}`;
  });
  const value: unknown = JSON.parse(safe);
  return marked ? unmarked(value) : value;
}

function unmarked(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const members = value as Record<string, unknown>;
  for (const key of Object.keys(members)) {
    const member = members[key];
    if (key === MARK) return JSON.rawJSON(String(member));
    if (typeof member === "object") members[key] = unmarked(member);
  }
  return value;
}

/** A string or number, exact, as a string; null for anything else. */
export function scalarText(value: unknown): string | null {
  if (typeof value === "string" || typeof value === "number") return String(value);
  return JSON.isRawJSON(value) ? value.rawJSON : null;
}
