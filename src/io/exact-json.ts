declare global {
  interface JSON {
    rawJSON(text: string): { readonly rawJSON: string };
    isRawJSON(value: unknown): value is { readonly rawJSON: string };
  }
}

/** An exponent that may be out of range: `1e400`, `1.2e-320`. */
const LONG_EXPONENT = /[eE][+-]?\d{3}/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Random, so that no provider can use it in an answer. */
const MARK = crypto.randomUUID();

/** What one pass over a JSON text finds, before anything is parsed. */
export interface JsonScan {
  /**
   * The most values and keys that it can have: each `{`, `[`, `,` and `:` outside a string begins one. JSON.parse turns
   * three bytes into an object of about sixty.
   */
  readonly tokens: number;
  /** How deep it is nested. */
  readonly depth: number;
  /** Where numbers are that JavaScript would round. */
  readonly inexact: readonly { readonly from: number; readonly to: number }[];
}

/** Linear in any text. */
export function scanned(text: string): JsonScan {
  const inexact: { from: number; to: number }[] = [];
  let tokens = 0;
  let open = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at) - 1;
    else if (code === 0x2c || code === 0x3a) tokens += 1;
    else if (code === 0x7b || code === 0x5b) {
      tokens += 1;
      open += 1;
      if (open > depth) depth = open;
    } else if (code === 0x7d || code === 0x5d) open -= 1;
    else if ((code >= 0x30 && code <= 0x39) || code === 0x2d) {
      const to = endOfNumber(text, at);
      if (to - at > 4 && isInexact(text, at, to)) inexact.push({ from: at, to });
      at = to - 1;
    }
  }
  return { tokens, depth, inexact };
}

/** Whether the number is long, or has an exponent that may be out of range, and JavaScript would write it otherwise. */
function isInexact(text: string, from: number, to: number): boolean {
  const number = text.slice(from, to);
  if (number.length < 16 && !LONG_EXPONENT.test(number)) return false;
  return NUMBER.test(number) && String(Number(number)) !== number;
}

/**
 * JSON.parse without loss: a number that JavaScript would round keeps its text, and JSON.stringify writes it back.
 * Untrusted input; throws SyntaxError.
 */
export function parseExact(text: string): unknown {
  return parseScanned(text, scanned(text));
}

/** The same for a text that was scanned. */
export function parseScanned(text: string, { inexact }: JsonScan): unknown {
  if (inexact.length === 0) return JSON.parse(text);
  // Passes them as marked objects: a reviver runs for every value and takes several times as long as the parse.
  let safe = "";
  let done = 0;
  for (const { from, to } of inexact) {
    safe += `${text.slice(done, from)}{"${MARK}":"${text.slice(from, to)}"}`;
    done = to;
  }
  return unmarked(JSON.parse(safe + text.slice(done)));
}

function endOfNumber(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isPart = (code >= 0x30 && code <= 0x39) || code === 0x2e || code === 0x2b || code === 0x2d;
    if (!isPart && code !== 0x65 && code !== 0x45) return at;
  }
  return text.length;
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
