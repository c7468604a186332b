/** Signatures as Veriff makes and asks for them: HMAC-SHA256 under the integration's shared secret, in hex. */
import { createHmac, timingSafeEqual } from "node:crypto";

/** Of the bare id in a request's path, or of an answer's body. */
export function signatureOf(secret: string, message: string | Uint8Array): string {
  return createHmac("sha256", secret).update(message).digest("hex");
}

/** Without regard to case. */
export function isSignature(secret: string, message: string, given: string): boolean {
  const expected = Buffer.from(signatureOf(secret, message));
  const got = Buffer.from(given.toLowerCase());
  return got.length === expected.length && timingSafeEqual(got, expected);
}
