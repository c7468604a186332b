/** As much of node:crypto as checking takes, for the browser. Nothing here can sign or seal. */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { Buffer } from "./buffer.ts";

type Data = Uint8Array | string;

const bytesOf = (data: Data) => (typeof data === "string" ? new TextEncoder().encode(data) : data);

export function createHash(algorithm: string) {
  const state = algorithm === "sha512" ? sha512.create() : sha256.create();
  const running = {
    update(data: Data) {
      state.update(bytesOf(data));
      return running;
    },
    digest(encoding?: "hex" | "base64") {
      const digest = Buffer.from(state.digest());
      return encoding === undefined ? digest : digest.toString(encoding);
    },
  };
  return running;
}

export function hash(_algorithm: "sha256", data: Data, _encoding: "buffer") {
  return Buffer.from(sha256(bytesOf(data)));
}

/** The raw key, out of a JWK; or the last 32 bytes of its DER, copied, because the caller erases what it gave. */
export function createPublicKey({ key }: { key: Uint8Array | { x: string } }): Uint8Array {
  return "x" in key ? Buffer.from(key.x, "base64url") : Uint8Array.from(key.subarray(-32));
}

export function verify(_algorithm: null, message: Uint8Array, key: Uint8Array, signature: Uint8Array): boolean {
  try {
    // The rules of RFC 8032, which Node's OpenSSL keeps too.
    return ed25519.verify(signature, message, key, { zip215: false });
  } catch {
    return false; // bytes that are no point of the curve
  }
}

export function hkdfSync(_hash: "sha256", key: Uint8Array, salt: Uint8Array, info: string, length: number): Uint8Array {
  return hkdf(sha256, key, salt, bytesOf(info), length);
}

/** The tag is given before the one update, which checks it: nothing comes out of what is not authenticated. */
export function createDecipheriv(_cipher: "chacha20-poly1305", key: Uint8Array, nonce: Uint8Array) {
  let tag = new Uint8Array(0);
  return {
    setAuthTag(given: Uint8Array<ArrayBuffer>) {
      tag = given;
    },
    update: (sealed: Uint8Array) => chacha20poly1305(key, nonce).decrypt(Buffer.concat([sealed, tag])),
    final() {},
  };
}

function absent(): never {
  throw new Error("The viewer holds no signing keys and seals nothing");
}

export { absent as createCipheriv, absent as createPrivateKey, absent as randomBytes, absent as sign };
