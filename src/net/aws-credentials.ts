import { defaultProvider } from "@aws-sdk/credential-provider-node";

/**
 * The SDK refreshes credentials that expire within five minutes. Credentials without expiry are kept this long, in ms.
 */
const REFRESH = 5 * 60_000;
const HELD = 60_000;

/** Names of errors for invalid or expired credentials. */
export const CREDENTIALS_REFUSED: ReadonlySet<string> = new Set([
  ...["ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"],
  ...["TokenRefreshRequired", "UnrecognizedClientException", "InvalidClientTokenId"],
]);

/**
 * The SDK's credential chain (environment, profile, role), read repeatedly. The SDK caches profile files for the life
 * of the process, but a daemon outlives rotated credentials.
 */
export class AwsCredentials {
  #ends: Date | undefined;

  /** For the SDK's `credentials` option. */
  readonly provide: ReturnType<typeof defaultProvider> = async (options) => {
    const identity = await defaultProvider({ ignoreCache: true })(options);
    // Return this very Date: `expire` changes it inside the SDK.
    this.#ends = new Date(identity.expiration ?? Date.now() + REFRESH + HELD);
    return { ...identity, expiration: this.#ends };
  };

  /**
   * Call this when the store refused the credentials: the next request fetches new ones. False if none were given out.
   */
  expire(): boolean {
    this.#ends?.setTime(0);
    return this.#ends !== undefined;
  }
}
