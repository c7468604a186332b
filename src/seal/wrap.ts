import { Encrypter, type Recipient } from "age-encryption";
import { HoldfastError } from "../core/error.ts";
import { headerLength } from "./header.ts";

export interface Wrapped {
  readonly header: Uint8Array;
  /** What the payload after this header is encrypted with. */
  readonly fileKey: Uint8Array;
}

/**
 * A header that hands out a file key to recipients, written by age-encryption: a new key, or the one given.
 *
 * The library draws a file key and shows it to each recipient in turn. The first here keeps it, or puts the given one
 * in its place; the last sees to it that it was this one which the others wrapped, however the library may come to be
 * written. It is asked to seal a stream that never comes, of which nothing is taken but the header: the nonce after that
 * is dropped, and nothing was sealed under it.
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
        throw new HoldfastError("internal", "another file key was wrapped");
      return [];
    },
  });
  const sealed = (await age.encrypt(new ReadableStream())).getReader();
  const { value } = await sealed.read();
  void sealed.cancel().catch(() => {});
  if (!value || !fileKey) throw new HoldfastError("internal", "no header was written");
  return { header: value.subarray(0, headerLength(value)), fileKey };
}
