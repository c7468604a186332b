import type { Recipients } from "../config/recipients.ts";
import type { Opener } from "./open.ts";
import { wrapFileKey } from "./wrap.ts";

/**
 * Makes another header for a sealed object, for other recipients. The payload after it stays as it is, to the byte: age
 * encrypts it with a key of the file's own, and a header only hands out that key. Throws `key` where the opener has no
 * key for the header that is there.
 */
export class Rewrapper {
  readonly #opener: Opener;
  readonly #to: readonly string[];

  constructor(opener: Opener, to: Recipients) {
    this.#opener = opener;
    this.#to = to.strings;
  }

  async rewrap(header: Uint8Array): Promise<Uint8Array> {
    return (await wrapFileKey(this.#to, await this.#opener.fileKey(header))).header;
  }
}
