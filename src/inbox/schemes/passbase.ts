import { createDecipheriv } from "node:crypto";
import { type Scheme, unfitSecret, wholeText } from "./scheme.ts";

const BLOCK = 16;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Passbase signs nothing: it encrypts the body with AES-256-CBC under a secret of 32 characters, base64 of IV and text.
 * That shows that the sender has the secret only as far as what comes out is an event in Passbase's form. A changed event
 * may still be in that form, and then names an id that no one has, or makes Holdfast look at someone once more.
 */
export const passbase: Scheme = {
  types: /^text\/plain$/,
  key(secret) {
    const key = wholeText(secret);
    if (key.length === 32) return key;
    throw unfitSecret("of Passbase", "Write it as Passbase's developer settings show it: 32 characters.");
  },
  verify({ body }, keys) {
    const text = Buffer.from(body).toString("latin1");
    const bytes = BASE64.test(text) ? Buffer.from(text, "base64") : Buffer.alloc(0);
    if (bytes.toString("base64") !== text || bytes.length < 2 * BLOCK || bytes.length % BLOCK !== 0) return undefined;
    for (const [secret, key] of keys.entries()) {
      const plain = decrypted(bytes, key);
      if (plain !== undefined && isEvent(plain)) return { secret, text: plain };
    }
    return undefined;
  },
};

function decrypted(bytes: Uint8Array, key: Uint8Array): Uint8Array | undefined {
  const decipher = createDecipheriv("aes-256-cbc", key, bytes.subarray(0, BLOCK));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(BLOCK)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** The form of every event. With a wrong key, or a changed text, it is as good as never met. */
function isEvent(plain: Uint8Array): boolean {
  try {
    const { event, key } = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plain));
    return /^[A-Z]{3,40}(_[A-Z]{2,40}){1,5}$/.test(event) && /^[0-9a-f-]{36}$/.test(key);
  } catch {
    return false;
  }
}
