/**
 * The strict readings the log's text formats share. Each value has exactly one spelling: what is read is
 * written again and compared, so that two different byte strings never mean the same thing.
 *
 * All input is untrusted. Every refusal is a HoldfastError "malformed", and all work is linear in the input.
 */
import { HoldfastError } from "../core/error.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }); // ignoreBOM: a BOM stays in the text

/** A count or index: ASCII decimal without sign or leading zero, a safe integer. */
export function parseDecimal(text: string): number {
  const value = /^(?:0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new HoldfastError("malformed", "A number is not in canonical decimal");
  return value;
}

/** RFC 4648 section 4 with padding; unused bits must be zero. */
export function parseBase64(text: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw new HoldfastError("malformed", "A value is not in canonical base64");
  return bytes;
}

/**
 * UTF-8 text of at most `limit` bytes without ASCII control characters other than LF (C2SP signed-note, Format).
 * A string is held to the same rules as bytes: no lone surrogates.
 */
export function parseText(input: Uint8Array | string, limit: number): string {
  // A UTF-16 unit is at least one byte of UTF-8, so an over-long string is refused before it is encoded.
  if (input.length > limit) throw new HoldfastError("malformed", `A text is longer than ${limit} bytes`);
  if (typeof input === "string" && !input.isWellFormed()) {
    throw new HoldfastError("malformed", "A text is not well-formed Unicode");
  }
  const bytes = typeof input === "string" ? Buffer.from(input) : input;
  if (bytes.length > limit) throw new HoldfastError("malformed", `A text is longer than ${limit} bytes`);
  // Every byte below 0x20 is a character of its own in UTF-8.
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i]! < 0x20 && bytes[i] !== 0x0a) throw new HoldfastError("malformed", "A text holds a control character");
  }
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new HoldfastError("malformed", "A text is not UTF-8", { cause });
  }
}
