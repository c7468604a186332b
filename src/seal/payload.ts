import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

/** Random bytes in front of a payload, which give it a key of its own. */
export const NONCE = 16;
export const CHUNK = 64 * 1024;
export const TAG = 16;

const CIPHER = "chacha20-poly1305";
const OPTIONS = { authTagLength: TAG };

/**
 * The payload of an age file by node:crypto: ChaCha20-Poly1305 in chunks of 64 KiB, as C2SP age.md has it.
 *
 * Why it is safe: ChaCha20-Poly1305 breaks where one key meets one nonce twice. The key is derived (HKDF-SHA-256) from
 * the file key and 16 random bytes, so that no two payloads have the same one, not even under one file key. Within a
 * payload a chunk's nonce is its number, which only goes up, and a mark on the last. A chunk's tag so vouches for its
 * bytes, its place and whether the file ends there: what was changed, cut, extended or moved fails where it shows.
 */
export class Payload {
  readonly #key: Uint8Array;
  #number = 0n;
  #ended = false;

  /** @param nonce to seal: fresh random bytes; to open: the file's own */
  constructor(fileKey: Uint8Array, nonce: Uint8Array) {
    this.#key = new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));
  }

  /** The next chunk, sealed: its bytes, and its tag. */
  seal(plain: Uint8Array, last: boolean): [Uint8Array, Uint8Array] {
    const cipher = createCipheriv(CIPHER, this.#key, this.#next(last), OPTIONS);
    const body = cipher.update(plain);
    cipher.final();
    return [body, cipher.getAuthTag()];
  }

  /** The next chunk, opened. Throws, and gives nothing of it, where it is not as it was sealed, here, to its end. */
  open(sealed: Uint8Array, last: boolean): Uint8Array {
    const end = sealed.length - TAG;
    // Only the first may be empty: otherwise one file had two spellings.
    if (end < 0 || (end === 0 && this.#number > 0n)) throw new Error("the last chunk is too short");
    const decipher = createDecipheriv(CIPHER, this.#key, this.#next(last), OPTIONS);
    decipher.setAuthTag(sealed.subarray(end));
    const plain = decipher.update(sealed.subarray(0, end));
    decipher.final();
    return plain;
  }

  #next(last: boolean): Uint8Array {
    if (this.#ended) throw new Error("nothing follows the last chunk");
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(3, this.#number);
    nonce[11] = last ? 1 : 0;
    this.#number += 1n;
    this.#ended = last;
    return nonce;
  }
}

/**
 * A stream in chunks of `size` bytes, the last of them marked: it is held back until it is sure that nothing follows.
 * There is always a last one, if an empty one. A chunk's bytes are good until the next is asked for.
 */
export async function* inChunks(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ chunk: Uint8Array; last: boolean }, void, undefined> {
  const held = new Uint8Array(size);
  let length = 0;
  for await (const piece of source) {
    let at = 0;
    while (piece.length - at > size - length) {
      // A whole chunk of one piece is not copied.
      const whole = length === 0 ? piece.subarray(at, at + size) : undefined;
      if (!whole) held.set(piece.subarray(at, at + size - length), length);
      at += size - length;
      length = 0;
      yield { chunk: whole ?? held, last: false };
    }
    held.set(at === 0 ? piece : piece.subarray(at), length);
    length += piece.length - at;
  }
  yield { chunk: held.subarray(0, length), last: true };
}
