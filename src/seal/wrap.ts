import { Encrypter, type Recipient } from "age-encryption";
import { HoldfastError } from "../core/error.ts";
import { headerLength } from "./header.ts";

export interface Wrapped {
  readonly header: Uint8Array;
  /** The key that the payload after this header is encrypted with. */
  readonly fileKey: Uint8Array;
}

/**
 * A header, written by age-encryption, that gives recipients a file key: a new one, or the given one.
 *
 * The library makes a file key and passes it to each recipient in turn. Our first recipient reads it, or overwrites it
 * with the given one. Our last checks that the others wrapped this key, in case the library changes. The library seals
 * a stream that never starts, and only the header is used: the nonce after it is dropped, and nothing was sealed with
 * it.
 */
export async function wrapFileKey(to: readonly (string | Recipient)[], given?: Uint8Array): Promise<Wrapped> {
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
