import type { Recipients } from "../config/recipients.ts";
import { CHUNK, inChunks, NONCE, Payload } from "./payload.ts";
import { Wrapper } from "./wrap.ts";

/**
 * Encrypts to a client's recipients. Makes age files, byte for byte what age-encryption makes with the same random
 * numbers, with node:crypto, several times faster. That library writes the headers for post-quantum recipients. Every
 * seal has its own random file key and nonce. Only this folder uses age.
 */
export class Sealer {
  readonly fingerprints: readonly string[];
  readonly #wrapper: Wrapper;

  constructor(recipients: Recipients) {
    this.fingerprints = recipients.fingerprints;
    this.#wrapper = new Wrapper(recipients);
  }

  async seal(plain: Uint8Array): Promise<Uint8Array> {
    const { head, payload } = await this.#begin();
    const parts = [head];
    for (let at = 0; at === 0 || at < plain.length; at += CHUNK)
      parts.push(...payload.seal(plain.subarray(at, at + CHUNK), at + CHUNK >= plain.length));
    return Buffer.concat(parts);
  }

  /**
   * Keeps one chunk of 64 KiB in memory. Errors of the source pass through, so a truncated source never gives a valid
   * file.
   */
  async sealStream(plain: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
    const { head, payload } = await this.#begin();
    return (async function* () {
      let begun = false;
      for await (const { chunk, last } of inChunks(plain, CHUNK)) {
        // Wait for the first chunk: a reader that stops at the head must close the source, which only works once it has
        // started.
        if (!begun) yield head;
        begun = true;
        yield* payload.seal(chunk, last);
      }
    })();
  }

  /** The header followed by the nonce, and the sealer of the payload that begins there. */
  async #begin(): Promise<{ head: Uint8Array; payload: Payload }> {
    const { header, fileKey } = await this.#wrapper.wrap();
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
    const head = new Uint8Array(header.length + NONCE);
    head.set(header);
    head.set(nonce, header.length);
    return { head, payload: new Payload(fileKey, nonce) };
  }
}
