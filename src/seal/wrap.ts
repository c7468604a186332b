import { createHmac, hkdfSync } from "node:crypto";
import type { Recipients } from "../config/recipients.ts";
import { HoldfastError } from "../core/error.ts";
import { headerLength } from "./header.ts";
import { base64, X25519Recipient } from "./x25519.ts";

export interface Wrapped {
  readonly header: Uint8Array;
  /** The key that the payload after this header is encrypted with. */
  readonly fileKey: Uint8Array;
}

/** Makes headers that give recipients a file key. */
export class Wrapper {
  readonly #names: readonly string[];
  /** Undefined unless all are classical. */
  readonly #classical: readonly X25519Recipient[] | undefined;

  constructor({ strings }: Recipients) {
    const classical = strings.flatMap((name) => X25519Recipient.of(name) ?? []);
    this.#names = strings;
    this.#classical = classical.length === strings.length ? classical : undefined;
  }

  /** @param given the file key. Default: a new one */
  async wrap(given?: Uint8Array): Promise<Wrapped> {
    if (!this.#classical) return wrapWithLibrary(this.#names, given);
    const fileKey = given ?? crypto.getRandomValues(new Uint8Array(16));
    return { header: headerOf(this.#classical, fileKey), fileKey };
  }
}

/**
 * The header of an age file for classical recipients (C2SP age.md): a stanza for each, and an HMAC under a key derived from
 * the file key.
 */
function headerOf(to: readonly X25519Recipient[], fileKey: Uint8Array): Uint8Array {
  const text = `age-encryption.org/v1\n${to.map((recipient) => recipient.stanza(fileKey)).join("")}---`;
  const key = new Uint8Array(hkdfSync("sha256", fileKey, "", "header", 32));
  return Buffer.from(`${text} ${base64(createHmac("sha256", key).update(text).digest())}\n`);
}

/**
 * The same for recipients of every type, by age-encryption, which takes 60 ms to load.
 *
 * The library makes a file key and passes it to each recipient in turn. Our first recipient reads it, or overwrites it
 * with the given one. Our last checks that the others wrapped this key, in case the library changes. The library seals
 * a stream that never starts, and only the header is used: the nonce after it is dropped, and nothing was sealed with
 * it.
 */
async function wrapWithLibrary(to: readonly string[], given?: Uint8Array): Promise<Wrapped> {
  const { Encrypter } = await import("age-encryption");
  const age = new Encrypter();
  let fileKey: Uint8Array | undefined;
  age.addRecipient({
    wrapFileKey(drawn) {
      if (given) drawn.set(given);
      fileKey = Uint8Array.from(drawn);
      return [];
    },
  });
  for (const recipient of to) age.addRecipient(recipient);
  age.addRecipient({
    wrapFileKey(used) {
      if (!fileKey || Buffer.compare(used, fileKey) !== 0)
        throw new HoldfastError("internal", "the header wraps another file key");
      return [];
    },
  });
  const sealed = (await age.encrypt(new ReadableStream())).getReader();
  const { value } = await sealed.read();
  void sealed.cancel().catch(() => {});
  if (!value || !fileKey) throw new HoldfastError("internal", "no header was written");
  return { header: value.subarray(0, headerLength(value)), fileKey };
}
