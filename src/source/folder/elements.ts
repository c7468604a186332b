/** An element of a JSON array, as it lies in its text. */
export interface JsonElement {
  readonly at: number;
  readonly length: number;
  readonly line: number;
}

const LF = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const [OPEN_LIST, CLOSE_LIST] = [0x5b, 0x5d];
const [OPEN, CLOSE] = [0x7b, 0x7d];

const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x09 || byte === LF || byte === 0x0d;

/** Whether the text is an array. */
export function isArray(text: Buffer): boolean {
  return text[blanks(text, 0)] === OPEN_LIST;
}

/**
 * Where the elements of an array are. That each is valid is for the reader to check. Undefined if the text is no array,
 * or has more than `most` elements.
 */
export function elementsOf(text: Buffer, most: number): JsonElement[] | undefined {
  let at = blanks(text, 0);
  if (text[at] !== OPEN_LIST) return undefined;
  const found: JsonElement[] = [];
  let line = 1;
  let counted = 0;
  at = blanks(text, at + 1);
  if (text[at] === CLOSE_LIST) return blanks(text, at + 1) === text.length ? found : undefined;
  for (;;) {
    const end = endOf(text, at);
    if (end === at || found.length === most) return undefined;
    line += lineBreaks(text, counted, at);
    counted = at;
    found.push({ at, length: end - at, line });
    at = blanks(text, end);
    if (text[at] === CLOSE_LIST) return blanks(text, at + 1) === text.length ? found : undefined;
    if (text[at] !== COMMA) return undefined;
    at = blanks(text, at + 1);
  }
}

/** The end of the value that begins here, without blanks after it. */
function endOf(text: Buffer, from: number): number {
  let depth = 0;
  let end = from;
  for (let at = from; at < text.length; at++) {
    const byte = text[at]!;
    if (byte === QUOTE) at = closing(text, at);
    else if (byte === OPEN || byte === OPEN_LIST) depth += 1;
    else if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST)) return end;
    else if (byte === CLOSE || byte === CLOSE_LIST) depth -= 1;
    if (!isBlank(byte)) end = at + 1;
  }
  return end;
}

/** The quote that ends the string that begins here. */
function closing(text: Buffer, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === 0x5c) at += 1;
    else if (text[at] === QUOTE) return at;
  }
  return text.length;
}

function blanks(text: Buffer, from: number): number {
  let at = from;
  while (isBlank(text[at])) at += 1;
  return at;
}

function lineBreaks(text: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf(LF, from); at >= 0 && at < to; at = text.indexOf(LF, at + 1)) count += 1;
  return count;
}
