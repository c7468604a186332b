import { Encrypter } from "age-encryption";
import type { Recipients } from "../config/recipients.ts";

/** Encrypts to a client's recipients. The seam behind which sealing can be made faster: nothing else touches age. */
export class Sealer {
  readonly fingerprints: readonly string[];
  readonly #age = new Encrypter();

  constructor(recipients: Recipients) {
    this.fingerprints = recipients.fingerprints;
    for (const recipient of recipients.strings) this.#age.addRecipient(recipient);
  }

  seal(plain: Uint8Array): Promise<Uint8Array> {
    return this.#age.encrypt(plain);
  }

  /** Holds one chunk of 64 KiB at a time. An error of the source passes through: a cut source never ends a file well. */
  async sealStream(plain: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
    return this.#age.encrypt(ReadableStream.from(plain) as ReadableStream<Uint8Array>);
  }
}
