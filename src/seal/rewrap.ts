import type { Recipients } from "../config/recipients.ts";
import type { Opener } from "./open.ts";
import { Wrapper } from "./wrap.ts";

/**
 * Makes a new header for a sealed object, for other recipients. The payload keeps its exact bytes: age encrypts it with
 * a file key, and the header only gives recipients that key. Throws `key` if the opener has no key for the present
 * header.
 */
export class Rewrapper {
  readonly #opener: Opener;
  readonly #to: Wrapper;

  constructor(opener: Opener, to: Recipients) {
    this.#opener = opener;
    this.#to = new Wrapper(to);
  }

  async rewrap(header: Uint8Array): Promise<Uint8Array> {
    return (await this.#to.wrap(await this.#opener.fileKey(header))).header;
  }
}
