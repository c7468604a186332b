import { HoldfastError } from "../error.ts";

/**
 * Bytes of the longest header that is read: room for some 600 recipients, or 40 post-quantum ones. age itself sets no
 * bound: a header without an end would be gathered in memory, and every stanza in it tried with every key.
 */
export const MAX_HEADER = 64 * 1024;

/** The last line of a header: a mark and 32 bytes in base64. */
const MARK = Buffer.from("\n--- ");
const LAST_LINE = MARK.length + 43 + 1;

/** The same bytes, as they come. Throws `unverified` once they are more than a header may be and its end has not come. */
export async function* withinHeader(sealed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of sealed) {
    if (head) {
      const from: number = Math.max(0, head.length - LAST_LINE);
      head = Buffer.concat([head, chunk.subarray(0, MAX_HEADER + 1)]);
      if (headerEnd(head, from) >= 0) head = undefined;
      else if (head.length > MAX_HEADER) throw tooLong();
    }
    yield chunk;
  }
}

export function checkHeader(sealed: Uint8Array): void {
  if (sealed.length > MAX_HEADER && headerEnd(Buffer.from(sealed.buffer, sealed.byteOffset, MAX_HEADER), 0) < 0)
    throw tooLong();
}

/** Bytes of the header that sealed bytes begin with; the payload is the rest. Throws `unverified` where it does not end. */
export function headerLength(sealed: Uint8Array): number {
  const head = Buffer.from(sealed.buffer, sealed.byteOffset, Math.min(sealed.length, MAX_HEADER));
  const end = headerEnd(head, 0);
  if (end < 0) throw tooLong();
  return end + 1;
}

/** Where the last byte of a header is in these bytes, looked for from here on; -1 where it does not end within bounds. */
function headerEnd(head: Buffer, from: number): number {
  const mark = head.indexOf(MARK, from);
  const end = mark < 0 ? -1 : head.indexOf("\n", mark + MARK.length);
  return end < MAX_HEADER ? end : -1;
}

function tooLong(): HoldfastError {
  return new HoldfastError("unverified", `the sealed bytes have no header of at most ${MAX_HEADER} bytes`);
}
