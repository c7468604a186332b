import { createHmac, hash } from "node:crypto";

const BLOCK = 64;
/** Longer texts are given to createHmac. */
const LONGEST = 16 * 1024;

/**
 * HMAC-SHA-256 (RFC 2104) in hexadecimal digits, of texts as UTF-8. As two one-shot hashes: createHmac makes an object for
 * each call, which takes almost twice as long for the short texts of which each night needs two for everyone.
 */
export class Hmac {
  readonly #key: Buffer;
  /** The key and the text, and the key and their hash: what each of the two hashes is of. */
  readonly #inner = Buffer.alloc(BLOCK + LONGEST, 0x36);
  readonly #outer = Buffer.alloc(BLOCK + 32, 0x5c);

  /** @param key up to 64 bytes */
  constructor(key: Buffer) {
    this.#key = key;
    for (const [at, byte] of key.entries()) {
      this.#inner[at]! ^= byte;
      this.#outer[at]! ^= byte;
    }
  }

  of(text: string | Uint8Array): string {
    // A character is three bytes at most.
    const bytes = typeof text === "string" ? text.length * 3 : text.length;
    if (bytes > LONGEST) return createHmac("sha256", this.#key).update(text).digest("hex");
    if (typeof text !== "string") this.#inner.set(text, BLOCK);
    const length = typeof text === "string" ? this.#inner.write(text, BLOCK, "utf8") : text.length;
    const inner = hash("sha256", this.#inner.subarray(0, BLOCK + length), "latin1");
    this.#outer.write(inner, BLOCK, "latin1");
    return hash("sha256", this.#outer, "hex");
  }
}
