declare global {
  interface JSON {
    rawJSON(text: string): { readonly rawJSON: string };
    isRawJSON(value: unknown): value is { readonly rawJSON: string };
  }
}

/** A number of 16 characters or more, or of an exponent that may leave the range of normal numbers (`1e400`, `1.2e-320`). */
const LONG = /[0-9.eE+-]{16}|\d[eE][+-]?\d{3,}\s*(?:[,\]}]|$)/;
/** All of them, in strings too. Linear in any text. */
const NUMBERS = /-\d[\d.eE+-]{14,}|\d[\d.eE+-]{15,}|-?\d[\d.]*[eE][+-]?\d{3,}/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** No one who writes an answer can know it. */
const MARK = crypto.randomUUID();

/**
 * How many values and keys a text has at most, if it is JSON: each `{`, `[`, `,` and `:` outside a string begins one. Of
 * three bytes JSON.parse makes an object of some sixty, so this is asked before it. One pass, and nothing is held.
 */
export function countTokens(text: string): number {
  let tokens = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22:
        at = endOfString(text, at) - 1;
        break;
      case 0x2c:
      case 0x3a:
      case 0x5b:
      case 0x7b:
        tokens += 1;
    }
  }
  return tokens;
}

/**
 * JSON.parse without loss: a number that a JavaScript number would round is kept as the text it was written in, and
 * JSON.stringify gives it back. Untrusted; throws SyntaxError.
 */
export function parseExact(text: string): unknown {
  if (!LONG.test(text)) return JSON.parse(text);
  // They go through as marked objects: a reviver, which is called for every value, costs several times the parse.
  let safe = "";
  let done = 0;
  /** The first string that ends after the number at hand. It is looked for once, not once for each number. */
  let open = text.indexOf('"');
  let end = open < 0 ? open : endOfString(text, open);
  for (const { 0: token, index } of text.matchAll(NUMBERS)) {
    if (String(Number(token)) === token || !NUMBER.test(token)) continue;
    while (open >= 0 && end <= index) {
      open = text.indexOf('"', end);
      end = open < 0 ? open : endOfString(text, open);
    }
    // In a string, it is no number.
    if (open >= 0 && open < index) continue;
    safe += `${text.slice(done, index)}{"${MARK}":"${token}"}`;
    done = index + token.length;
  }
  return done === 0 ? JSON.parse(text) : unmarked(JSON.parse(safe + text.slice(done)));
}

/** Where the text goes on after the string that opens here; its end, where the string has none. */
function endOfString(text: string, open: number): number {
  for (let close = text.indexOf('"', open + 1); close >= 0; close = text.indexOf('"', close + 1)) {
    let slashes = 0;
    while (text[close - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return close + 1;
  }
  return text.length;
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
