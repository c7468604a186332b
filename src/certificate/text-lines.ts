import { HoldfastError } from "../core/error.ts";

/**
 * Lines of a file that comes in pieces, each without its line feed. Throws `malformed` for one longer than `most` bytes,
 * and for an end without a line feed: memory does not grow with what someone put there.
 */
export async function* textLines(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
  most: number,
): AsyncGenerator<string, void, undefined> {
  let held = Buffer.alloc(0);
  for await (const piece of pieces) {
    const bytes =
      held.length === 0 ? Buffer.from(piece.buffer, piece.byteOffset, piece.length) : Buffer.concat([held, piece]);
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      if (end - from > most) throw tooLong(name);
      yield bytes.toString("utf8", from, end);
      from = end + 1;
    }
    held = Buffer.from(bytes.subarray(from));
    if (held.length > most) throw tooLong(name);
  }
  if (held.length > 0) throw new HoldfastError("malformed", `${name} ends in the middle of a line`);
}

function tooLong(name: string): HoldfastError {
  return new HoldfastError("malformed", `${name} has a line that is longer than any that a purge writes`);
}
