import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";

/** Random bytes before a payload that give it its own key. */
export const NONCE = 16;
export const CHUNK = 64 * 1024;
export const TAG = 16;

const CIPHER = "chacha20-poly1305";
const OPTIONS = { authTagLength: TAG };

/**
 * The payload of an age file with node:crypto: ChaCha20-Poly1305 in chunks of 64 KiB, as in C2SP age.md.
 *
 * Why it is safe: ChaCha20-Poly1305 breaks if a nonce is used twice with one key. The key is derived (HKDF-SHA-256)
 * from the file key and 16 random bytes, so no two payloads share a key, even with the same file key. Within a payload,
 * a chunk's nonce is its number, which only increases, and a mark on the last chunk. So a chunk's tag authenticates its
 * bytes, its position and whether the file ends there. Changing, cutting, extending or moving a chunk makes opening
 * fail.
 */
export class Payload {
  readonly #key: Uint8Array;
  #number = 0n;
  #ended = false;

  /** @param nonce to seal: fresh random bytes; to open: the nonce of the file */
  constructor(fileKey: Uint8Array, nonce: Uint8Array) {
    this.#key = new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));
  }

  /** Seals the next chunk. Gives its bytes and its tag. */
  seal(plain: Uint8Array, last: boolean): [Uint8Array, Uint8Array] {
    const cipher = createCipheriv(CIPHER, this.#key, this.#next(last), OPTIONS);
    const body = cipher.update(plain);
    cipher.final();
    return [body, cipher.getAuthTag()];
  }

  /** Opens the next chunk. Throws, without releasing any of it, if its bytes, position or end mark were changed. */
  open(sealed: Uint8Array, last: boolean): Uint8Array {
    const end = sealed.length - TAG;
    // Only the first chunk may be empty. Otherwise one file could be written in two ways.
    if (end < 0 || (end === 0 && this.#number > 0n)) throw new Error("the last chunk is too short");
    const decipher = createDecipheriv(CIPHER, this.#key, this.#next(last), OPTIONS);
    decipher.setAuthTag(sealed.subarray(end));
    const plain = decipher.update(sealed.subarray(0, end));
    decipher.final();
    return plain;
  }

  #next(last: boolean): Uint8Array {
    if (this.#ended) throw new Error("no chunk may follow the last one");
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(3, this.#number);
    nonce[11] = last ? 1 : 0;
    this.#number += 1n;
    this.#ended = last;
    return nonce;
  }
}

/**
 * Splits a stream into chunks of `size` bytes and marks the last, which is held back until the stream ends. There is
 * always a last chunk, even if empty. A chunk's bytes are valid until the next one is requested.
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
      // Do not copy a full chunk from one piece.
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
