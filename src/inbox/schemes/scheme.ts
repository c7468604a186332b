import type { Secret } from "../../config/secret.ts";
import { HoldfastError } from "../../core/error.ts";

/** A request as it arrived: nothing in it is trusted. */
export interface Delivery {
  /** Each header's values, by its name in lower case. */
  readonly headers: Readonly<Partial<Record<string, string[]>>>;
  /** Every byte, before any parser has seen one. */
  readonly body: Uint8Array;
}

/** A delivery that is from the provider. */
export interface Verified {
  /** Which of the secrets it is signed with, from 0. */
  readonly secret: number;
  /** What it says: the body, decrypted if it was encrypted. */
  readonly text: Uint8Array;
  /** What tells this delivery from others, if a signed header says it. */
  readonly id?: string;
}

/**
 * How a provider proves that a webhook is from it. The config chooses the scheme, never a header: a forger would choose
 * the weakest.
 */
export interface Scheme {
  /** A secret as the key of this scheme. Throws `config` if it cannot be one. */
  key(secret: Secret): Uint8Array;
  /** Undefined if it is not from the provider, for whatever reason. */
  verify(delivery: Delivery, keys: readonly Uint8Array[], now: Temporal.Instant): Verified | undefined;
  /** The media types that the provider sends. */
  readonly types: RegExp;
}

export const JSON_TYPE = /^application\/(?:[a-z0-9.+-]{1,60}\+)?json$/;

/** Where time is signed, how far it may be from this machine's, in seconds: before and after. */
export const TOLERANCE = 300;

/** The one value of a header. Undefined if it is missing or comes twice. */
export function header({ headers }: Delivery, name: string): string | undefined {
  const values = headers[name];
  return values?.length === 1 ? values[0] : undefined;
}

/** The secret as the provider shows it is the key. */
export function wholeText(secret: Secret): Uint8Array {
  return Buffer.from(secret.reveal());
}

export function unfitSecret(what: string, hint: string): HoldfastError {
  return new HoldfastError("config", `a webhook secret is not ${what}`, { hint });
}
