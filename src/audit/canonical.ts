/**
 * Strict parsing shared by the log's text formats. Each value has exactly one spelling: a parsed value is written again
 * and compared, so two different byte strings never mean the same.
 *
 * All input is untrusted. Invalid input throws `malformed`. All work is linear in the input.
 */
import { HoldfastError } from "../core/error.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }); // ignoreBOM: a BOM stays in the text

/** A count or index: ASCII decimal without sign or leading zero, a safe integer. */
export function parseDecimal(text: string): number {
  const value = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new HoldfastError("malformed", "a number is not in canonical decimal");
  return value;
}

/** RFC 4648 section 4 with padding; unused bits must be zero. */
export function parseBase64(text: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw new HoldfastError("malformed", "a value is not in canonical base64");
  return bytes;
}

/**
 * UTF-8 text of at most `limit` bytes without ASCII control characters other than LF (C2SP signed-note, Format). The
 * same rules apply to a string: no lone surrogates.
 */
export function parseText(input: Uint8Array | string, limit: number): string {
  // A UTF-16 unit takes at least one byte in UTF-8, so refuse a long string before encoding it.
  if (input.length > limit) throw new HoldfastError("malformed", `a text is longer than ${limit} bytes`);
  if (typeof input === "string" && !input.isWellFormed()) {
    throw new HoldfastError("malformed", "a text is not well-formed Unicode");
  }
  const bytes = typeof input === "string" ? Buffer.from(input) : input;
  if (bytes.length > limit) throw new HoldfastError("malformed", `a text is longer than ${limit} bytes`);
  // In UTF-8, every byte below 0x20 is a whole character.
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i]! < 0x20 && bytes[i] !== 0x0a)
      throw new HoldfastError("malformed", "a text contains a control character");
  }
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new HoldfastError("malformed", "a text is not UTF-8", { cause });
  }
}
