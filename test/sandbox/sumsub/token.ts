/** Who may ask: an app token, and a signature of each request with its secret. What the token may see. */
import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { mismatch } from "./refusal.ts";

export interface Credentials {
  /** `sbx:…` for the sandbox, which has the same address as production. */
  readonly appToken: string;
  /** What Sumsub calls the secret key. It never leaves the client. */
  readonly apiKey: string;
}

/** Settings of the app token in the dashboard. */
export interface Rights {
  /** View applicant's personal data. Without it the applicant lacks members, and images are refused. */
  readonly personal: boolean;
  /** View AML screening. */
  readonly aml: boolean;
  /** View video ident media recordings. */
  readonly recordings: boolean;
  /** Prints COPY on every image. */
  readonly watermark: boolean;
}

export const ALL_RIGHTS: Rights = { personal: true, aml: true, recordings: true, watermark: false };

/** How far a request's time may be off, in seconds. */
const WINDOW = 60;

export interface Signed {
  readonly method: string;
  /** As it was sent, with the query. */
  readonly url: string;
  readonly body: Buffer;
}

/** @param seconds since 1970 */
export function signatureOf(secret: string, seconds: number | string, { method, url, body }: Signed): string {
  return createHmac("sha256", secret).update(`${seconds}${method}${url}`).update(body).digest("hex");
}

/** Throws a refusal. @param now milliseconds since 1970 */
export function check({ appToken, apiKey }: Credentials, headers: IncomingHttpHeaders, of: Signed, now: number): void {
  const time = String(headers["x-app-access-ts"] ?? "");
  const isNow = /^\d{1,12}$/.test(time) && Math.abs(Number(time) - now / 1000) <= WINDOW;
  const isSigned = headers["x-app-access-sig"] === signatureOf(apiKey, time, of);
  if (headers["x-app-token"] !== appToken || !isNow || !isSigned) throw mismatch();
}
