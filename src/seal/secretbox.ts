import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import type { Secret } from "../config/secret.ts";
import { HoldfastError } from "../core/error.ts";

const NONCE = 12;
const TAG = 16;

/**
 * Encrypts text so that only this client's processes can read or write it: AES-256-GCM with a key derived
 * (HKDF-SHA-256) from the client's lookup key, which they all hold. For messages to workers, and for providers' ids in
 * the log and the state. It hides them from those who can only read Redis, the log or the state. It hides nothing from
 * someone with the lookup key, now or later, who could also test ids against tokens. What must stay closed to this machine
 * is sealed to people with age.
 *
 * A box opens only for its own purpose and context. One key is safe for about 2^32 boxes, far more than anyone uses.
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

  /** Opens untrusted text. Throws `unverified` if it was not closed with this key, purpose and context. */
  open(closed: string, context: string): string {
    const bytes = Buffer.from(closed, "base64url");
    try {
      const cipher = createDecipheriv("aes-256-gcm", this.#key, bytes.subarray(0, NONCE), { authTagLength: TAG })
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-TAG));
      return cipher.update(bytes.subarray(NONCE, -TAG), undefined, "utf8") + cipher.final("utf8");
    } catch (cause) {
      throw new HoldfastError("unverified", "a message between this client's processes was written by someone else", {
        cause,
        hint: "Check that all of them have the same lookup key. If they do, someone else writes to their queue or files.",
      });
    }
  }
}
