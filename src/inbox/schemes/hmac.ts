import { createHmac, timingSafeEqual } from "node:crypto";

export type Digest = "sha256" | "sha512";

const BYTES: Readonly<Record<Digest, number>> = { sha256: 32, sha512: 64 };

/**
 * Which of the keys made one of the signatures over these parts; undefined if none did. Compares in constant time, and
 * only signatures of the right length.
 */
export function signer(
  digest: Digest,
  keys: readonly Uint8Array[],
  parts: readonly (Uint8Array | string)[],
  signatures: readonly Uint8Array[],
): number | undefined {
  let found: number | undefined;
  for (const [index, key] of keys.entries()) {
    const hmac = createHmac(digest, key);
    for (const part of parts) hmac.update(part);
    const expected = hmac.digest();
    for (const signature of signatures) {
      if (signature.length === BYTES[digest] && timingSafeEqual(signature, expected)) found ??= index;
    }
  }
  return found;
}

/** Strictly: two lower-case digits a byte, and as many bytes as the digest has. */
export function fromHex(text: string, digest: Digest): Uint8Array | undefined {
  if (text.length !== BYTES[digest] * 2 || !/^[0-9a-f]+$/.test(text)) return undefined;
  return Buffer.from(text, "hex");
}
