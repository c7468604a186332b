import { Encrypter } from "age-encryption";
import type { Recipients } from "../config/recipients.ts";
import { HoldfastError } from "../error.ts";
import { headerLength } from "./header.ts";
import type { Opener } from "./open.ts";

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
    const fileKey = await this.#opener.fileKey(header);
    const age = new Encrypter();
    // age-encryption draws a file key and shows it to each recipient in turn. The first puts the right one in its place;
    // the last sees to it that it was this one which the others wrapped, however the library may come to be written.
    age.addRecipient({
      wrapFileKey(drawn) {
        drawn.set(fileKey);
        return [];
      },
    });
    for (const recipient of this.#to) age.addRecipient(recipient);
    age.addRecipient({
      wrapFileKey(used) {
        if (Buffer.compare(used, fileKey) !== 0) throw new HoldfastError("internal", "another file key was wrapped");
        return [];
      },
    });
    const sealed = await age.encrypt(new Uint8Array(0));
    return sealed.subarray(0, headerLength(sealed));
  }
}
