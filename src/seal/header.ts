import { HoldfastError } from "../core/error.ts";
import { MAX_HEADER } from "../core/max-header.ts";

/** Start of a header's last line: a mark and 32 bytes in base64. */
const MARK = Buffer.from("\n--- ");
const LAST_LINE = MARK.length + 43 + 1;

/**
 * Length of the header at the start of sealed bytes. The payload is the rest. Throws `unverified` if the header does
 * not end.
 */
export function headerLength(sealed: Uint8Array): number {
  const head = Buffer.from(sealed.buffer, sealed.byteOffset, Math.min(sealed.length, MAX_HEADER));
  const end = headerEnd(head, 0);
  if (end < 0) throw tooLong();
  return end + 1;
}

/**
 * Reads the header and at least `after` bytes after it, or up to the end. `more` is what was read beyond that. Throws
 * `unverified` if the header does not end within the limit.
 */
export async function readHead(
  sealed: AsyncIterator<Uint8Array>,
  after: number,
): Promise<{ header: Uint8Array; nonce: Uint8Array; more: Uint8Array }> {
  let head = Buffer.alloc(0);
  let end = -1;
  while (end < 0 || head.length < end + 1 + after) {
    const next = await sealed.next();
    if (next.done) break;
    const from = Math.max(0, head.length - LAST_LINE);
    head = Buffer.concat([head, next.value]);
    if (end < 0) end = headerEnd(head, from);
    if (end < 0 && head.length > MAX_HEADER) throw tooLong();
  }
  if (end < 0) throw tooLong();
  const start = end + 1;
  return {
    header: head.subarray(0, start),
    nonce: head.subarray(start, start + after),
    more: head.subarray(start + after),
  };
}

/** Position of the header's last byte, searching from `from`. -1 if it does not end within the limit. */
function headerEnd(head: Buffer, from: number): number {
  const mark = head.indexOf(MARK, from);
  const end = mark < 0 ? -1 : head.indexOf("\n", mark + MARK.length);
  return end < MAX_HEADER ? end : -1;
}

function tooLong(): HoldfastError {
  return new HoldfastError("unverified", `the sealed bytes have no header of at most ${MAX_HEADER} bytes`);
}
