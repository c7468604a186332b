import { Decrypter } from "age-encryption";
import type { Secret } from "../config/secret.ts";
import { HoldfastError } from "../core/error.ts";
import { headerLength, readHead } from "./header.ts";
import { CHUNK, inChunks, NONCE, Payload, TAG } from "./payload.ts";

/**
 * Decrypts what a Sealer made: age-encryption reads the header, node:crypto the payload. Releases a chunk only after
 * authenticating it; a caller that needs all or nothing must wait for the end. Throws `key` if no key matches,
 * `unverified` if the bytes were changed. Errors of the source pass through. Sealed bytes are untrusted.
 */
export class Opener {
  readonly #age = new Decrypter();

  constructor(keys: readonly Pick<Secret, "reveal">[]) {
    for (const key of keys) {
      try {
        this.#age.addIdentity(key.reveal());
      } catch {
        // No cause: the library's error may repeat the key.
        throw new HoldfastError("key", "an age private key is damaged", { hint: "Copy the whole key again." });
      }
    }
  }

  async open(sealed: Uint8Array): Promise<Uint8Array> {
    const start = headerLength(sealed);
    const fileKey = await this.fileKey(sealed.subarray(0, start));
    const nonce = sealed.subarray(start, start + NONCE);
    const body = sealed.subarray(start + NONCE);
    const chunks = Math.max(1, Math.ceil(body.length / (CHUNK + TAG)));
    const plain = new Uint8Array(Math.max(0, body.length - chunks * TAG));
    const payload = payloadOf(fileKey, nonce);
    return authenticated(() => {
      for (let n = 0; n < chunks; n++) {
        const chunk = body.subarray(n * (CHUNK + TAG), (n + 1) * (CHUNK + TAG));
        plain.set(payload.open(chunk, n === chunks - 1), n * CHUNK);
      }
      return plain;
    });
  }

  /**
   * The key that the payload after this header is encrypted with. Only for re-encrypting the header to other
   * recipients.
   */
  async fileKey(header: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#age.decryptHeader(header);
    } catch (error) {
      throw openError(error);
    }
  }

  async openStream(sealed: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
    const source = sealed[Symbol.asyncIterator]();
    try {
      const { header, nonce, more } = await readHead(source, NONCE);
      const payload = payloadOf(await this.fileKey(header), nonce);
      return opened(payload, prepended(more, source));
    } catch (error) {
      await source.return?.();
      throw error;
    }
  }
}

async function* opened(payload: Payload, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { chunk, last } of inChunks(body, CHUNK + TAG)) yield authenticated(() => payload.open(chunk, last));
}

async function* prepended(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield first;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function payloadOf(fileKey: Uint8Array, nonce: Uint8Array): Payload {
  return authenticated(() => {
    if (nonce.length < NONCE) throw new Error("the payload is missing");
    return new Payload(fileKey, nonce);
  });
}

function authenticated<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw damaged(error);
  }
}

/**
 * Reads the private keys of an age identity file as age-keygen writes it: one key per line, # comments.
 * @throws HoldfastError "key", which never repeats a line.
 */
export function parseIdentityFile<K extends Pick<Secret, "reveal">>(text: string, secret: (key: string) => K): K[] {
  const refusal = (message: string, hint: string) => new HoldfastError("key", message, { hint });
  // UTF-16 read as UTF-8: PowerShell 5 writes UTF-16 with `>`.
  if (text.includes("\0"))
    throw refusal("the age identity file is UTF-16 or not a text file", "Save it as UTF-8 and try again.");
  const lines = text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.some((line) => line.startsWith("age1")))
    throw refusal(
      "this is a public key (age1…), which can only seal",
      "Use the identity file with the private key: AGE-SECRET-KEY-…, as age-keygen wrote it.",
    );
  if (lines.length === 0 || !lines.every((line) => /^AGE-SECRET-KEY-[0-9A-Z-]+$/.test(line))) {
    throw refusal(
      "not an age identity file: it contains something other than AGE-SECRET-KEY-… lines",
      "Use the file that age-keygen wrote. For a key with a passphrase or on a hardware token, use the age command.",
    );
  }
  return lines.map(secret);
}

function openError(error: unknown): HoldfastError {
  if (error instanceof Error && error.message.startsWith("no identity matched")) {
    return new HoldfastError("key", "this was not sealed to any of the given keys", {
      cause: error,
      hint: "Use the private key of one of the recipients; vault.json lists their public keys.",
    });
  }
  return damaged(error);
}

function damaged(cause: unknown): HoldfastError {
  return new HoldfastError("unverified", "the sealed bytes are damaged: they do not decrypt", { cause });
}
