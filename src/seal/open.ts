import { ReadableStream } from "node:stream/web";
import { Decrypter } from "age-encryption";
import type { Secret } from "../config/secret.ts";
import { HoldfastError } from "../error.ts";
import { checkHeader, withinHeader } from "./header.ts";

/**
 * Decrypts what a Sealer made, for the holder of a private key. A chunk is released only after it is authenticated;
 * whoever needs the whole or nothing waits for the end. Throws `key` where no key fits, `unverified` where the bytes
 * are not as they were sealed; an error of the source passes through. Sealed bytes are untrusted.
 */
export class Opener {
  readonly #age = new Decrypter();

  constructor(keys: readonly Pick<Secret, "reveal">[]) {
    for (const key of keys) {
      try {
        this.#age.addIdentity(key.reveal());
      } catch {
        // The library's error may repeat the key.
        throw new HoldfastError("key", "an age private key is damaged", { mend: "Copy the whole key again." });
      }
    }
  }

  async open(sealed: Uint8Array): Promise<Uint8Array> {
    checkHeader(sealed);
    try {
      return await this.#age.decrypt(sealed);
    } catch (error) {
      throw openError(error);
    }
  }

  /** What the payload after this header is encrypted with. For whoever hands it on to somebody else, and for nothing else. */
  async fileKey(header: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#age.decryptHeader(header);
    } catch (error) {
      throw openError(error);
    }
  }

  async openStream(sealed: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
    // A file that cannot be read is not a file that was tampered with.
    let failure: { readonly error: unknown } | undefined;
    const source = async function* () {
      try {
        yield* withinHeader(sealed);
      } catch (error) {
        failure = { error };
        throw error;
      }
    };
    const why = (error: unknown): unknown => (failure ? failure.error : openError(error));
    const plain = await this.#age
      .decrypt(ReadableStream.from(source()) as globalThis.ReadableStream<Uint8Array>)
      .catch((error: unknown) => {
        throw why(error);
      });
    return (async function* () {
      try {
        yield* plain;
      } catch (error) {
        throw why(error);
      }
    })();
  }
}

/**
 * The private keys of an age identity file, as age-keygen writes it: a key to a line, # comments.
 * @throws HoldfastError "key", which never repeats a line.
 */
export function parseIdentityFile<K extends Pick<Secret, "reveal">>(text: string, secret: (key: string) => K): K[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"));
  if (lines.length === 0 || !lines.every((line) => /^AGE-SECRET-KEY-[0-9A-Z-]+$/.test(line))) {
    throw new HoldfastError(
      "key",
      "this is no age identity file: it holds something other than AGE-SECRET-KEY-… lines",
      {
        mend: "Give the file that age-keygen wrote. A key with a passphrase or on a token: open with the age command.",
      },
    );
  }
  return lines.map(secret);
}

function openError(error: unknown): HoldfastError {
  if (error instanceof Error && error.message.startsWith("no identity matched")) {
    return new HoldfastError("key", "none of the keys given is among those this was sealed to", {
      cause: error,
      mend: "Use the private key of one of the recipients; vault.json lists their public keys.",
    });
  }
  return new HoldfastError("unverified", "the sealed bytes are damaged: they do not decrypt", { cause: error });
}
