import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import type { Secret } from "../config/secret.ts";
import { HoldfastError } from "../core/error.ts";

const NONCE = 12;
const TAG = 16;

/**
 * Text that only this client's own processes can read or have written: AES-256-GCM under a key derived (HKDF-SHA-256)
 * from the client's lookup key, which they all hold. For what passes by on its way and is not kept: what is kept is
 * sealed with age, to people.
 *
 * A box of one purpose or context opens in no other. One key seals some 2^32 boxes safely; no one comes near.
 */
export class Box {
  readonly #key: Uint8Array;

  constructor(key: Secret, purpose: string) {
    this.#key = new Uint8Array(hkdfSync("sha256", Buffer.from(key.reveal(), "hex"), "", `holdfast/1 ${purpose}`, 32));
  }

  /** @returns base64url */
  close(text: string, context: string): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(Buffer.from(context));
    const body = [cipher.update(text, "utf8"), cipher.final()];
    return Buffer.concat([nonce, ...body, cipher.getAuthTag()]).toString("base64url");
  }

  /** Untrusted text. Throws `unverified` for what was not closed under this key, purpose and context. */
  open(closed: string, context: string): string {
    const bytes = Buffer.from(closed, "base64url");
    try {
      const cipher = createDecipheriv("aes-256-gcm", this.#key, bytes.subarray(0, NONCE), { authTagLength: TAG })
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-TAG));
      return cipher.update(bytes.subarray(NONCE, -TAG), undefined, "utf8") + cipher.final("utf8");
    } catch (cause) {
      throw new HoldfastError("unverified", "a message between this client's processes was not made by one of them", {
        cause,
        hint: "All of them must have the same lookup key. Otherwise someone else writes where they meet.",
      });
    }
  }
}
