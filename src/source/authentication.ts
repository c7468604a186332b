import type { Secret } from "../config/secret.ts";
import { HoldfastError } from "../core/error.ts";

/** How a request shows the key. */
export type Authentication =
  /** A header with the key alone: `x-api-key: <key>`. */
  | { readonly kind: "header"; readonly name: string }
  /** `Authorization: Bearer <key>`; a scheme that ends in `=`, like `Token token=`, is followed by the key at once. */
  | { readonly kind: "scheme"; readonly scheme: string }
  /** `Authorization: Basic …`. A key without a colon is a user name without a password. */
  | { readonly kind: "basic" }
  /** A signature, made again for each attempt, because it contains the time. */
  | { readonly kind: "signed"; readonly sign: Sign };

export type Sign = (secret: Secret, request: SignedRequest) => Readonly<Record<string, string>>;

export interface SignedRequest {
  readonly method: string;
  /** Exactly as it is sent: with the base URL's path and the query. */
  readonly path: string;
  /** Empty if nothing is sent. */
  readonly body: string;
  readonly now: Temporal.Instant;
}

/** The headers that prove who asks. They contain the key: never show them. */
export function authorization(auth: Authentication, key: Secret, request: SignedRequest): Record<string, string> {
  const secret = key.reveal();
  switch (auth.kind) {
    case "header":
      return { [auth.name]: secret };
    case "scheme":
      return { authorization: `${auth.scheme}${auth.scheme.endsWith("=") ? "" : " "}${secret}` };
    case "basic": {
      const pair = secret.includes(":") ? secret : `${secret}:`;
      return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
    }
    case "signed":
      return { ...auth.sign(key, request) };
  }
}

/** Throws `config` for a key that no header can contain. */
export function usable(key: Secret): Secret {
  if (/^[\x21-\x7e]+$/.test(key.reveal())) return key;
  throw new HoldfastError("config", "the API key has white space or characters that an HTTP header cannot contain", {
    hint: "Copy the secret API key again, alone on one line.",
  });
}
