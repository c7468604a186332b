declare global {
  interface JSON {
    rawJSON(text: string): { readonly rawJSON: string };
    isRawJSON(value: unknown): value is { readonly rawJSON: string };
  }
}

/** A number with 16 characters or more, or with an exponent that may be out of range (`1e400`, `1.2e-320`). */
const LONG = /[0-9.eE+-]{16}|\d[eE][+-]?\d{3,}\s*(?:[,\]}]|$)/;
/** All such numbers, also in strings. Linear in any text. */
const NUMBERS = /-\d[\d.eE+-]{14,}|\d[\d.eE+-]{15,}|-?\d[\d.]*[eE][+-]?\d{3,}/g;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Random, so that no provider can use it in an answer. */
const MARK = crypto.randomUUID();

/**
 * The most values and keys that a JSON text can have: each `{`, `[`, `,` and `:` outside a string begins one.
 * JSON.parse turns three bytes into an object of about sixty, so check this first. One pass, no memory.
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
 * JSON.parse without loss: a number that JavaScript would round keeps its text, and JSON.stringify writes it back.
 * Untrusted input; throws SyntaxError.
 */
export function parseExact(text: string): unknown {
  if (!LONG.test(text)) return JSON.parse(text);
  // Passes them as marked objects: a reviver runs for every value and takes several times as long as the parse.
  let safe = "";
  let done = 0;
  /** The first string that ends after the current number. Found once, not once per number. */
  let open = text.indexOf('"');
  let end = open < 0 ? open : endOfString(text, open);
  for (const { 0: token, index } of text.matchAll(NUMBERS)) {
    if (String(Number(token)) === token || !NUMBER.test(token)) continue;
    while (open >= 0 && end <= index) {
      open = text.indexOf('"', end);
      end = open < 0 ? open : endOfString(text, open);
    }
    // Inside a string it is not a number.
    if (open >= 0 && open < index) continue;
    safe += `${text.slice(done, index)}{"${MARK}":"${token}"}`;
    done = index + token.length;
  }
  return done === 0 ? JSON.parse(text) : unmarked(JSON.parse(safe + text.slice(done)));
}

/** The position after the string that opens here, or the end of the text if the string does not end. */
export function endOfString(text: string, open: number): number {
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

/** A string or exact number as a string. Null for anything else. */
export function scalarText(value: unknown): string | null {
  if (typeof value === "string" || typeof value === "number") return String(value);
  return JSON.isRawJSON(value) ? value.rawJSON : null;
}
