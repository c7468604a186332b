import { createHmac, type Hmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "../../config/secret.ts";
import { broken } from "../answer.ts";
import type { AnswerHeaders } from "../answer-headers.ts";
import type { FetchedFile } from "../source.ts";

/** HMAC-SHA256 under the integration's shared secret, in lower-case hex. */
const hmac = (secret: Secret): Hmac => createHmac("sha256", secret.reveal());

export const signatureOf = (secret: Secret, message: string): string => hmac(secret).update(message).digest("hex");

/** The header of a signed answer; Veriff sends it under either name. */
export const SIGNATURE = "x-hmac-signature";
const TWIN = "vrf-hmac-signature";

/** The signature of an answer, or null: Veriff does not promise one. */
export function signatureIn(headers: AnswerHeaders): string | null {
  return headers[SIGNATURE] ?? headers[TWIN] ?? null;
}

/** @throws HoldfastError "source-response" if there is a signature and it is not of this text under this secret */
export function checkSignature(name: string, text: string, headers: AnswerHeaders, secret: Secret): void {
  const given = signatureIn(headers);
  if (given !== null) compare(name, given, hmac(secret).update(text));
}

/** The same for a file, at its end. */
export function checkedFile(
  name: string,
  { mediaType, bytes }: FetchedFile,
  headers: AnswerHeaders,
  secret: Secret,
): FetchedFile {
  const given = signatureIn(headers);
  if (given === null) return { mediaType, bytes };
  return { mediaType, bytes: { [Symbol.asyncIterator]: () => checking(name, bytes, given, hmac(secret)) } };
}

/** Not a generator: one that is abandoned before its first chunk would keep the connection. */
function checking(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  given: string,
  computed: Hmac,
): AsyncIterator<Uint8Array> {
  const inner = bytes[Symbol.asyncIterator]();
  return {
    next: async () => {
      const next = await inner.next();
      if (next.done) compare(name, given, computed);
      else computed.update(next.value);
      return next;
    },
    return: async () => (await inner.return?.()) ?? { done: true, value: undefined },
  };
}

function compare(name: string, given: string, computed: Hmac): void {
  const expected = computed.digest();
  const got = Buffer.from(/^[0-9a-f]{64}$/i.test(given) ? given : "", "hex");
  if (got.length !== expected.length || !timingSafeEqual(got, expected))
    throw broken(name, "the answer is not signed with the shared secret of this integration");
}
