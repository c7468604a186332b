import { defaultProvider } from "@aws-sdk/credential-provider-node";

/** The SDK looks for others when those at hand end within five minutes; those that say no end are held this long, in ms. */
const REFRESH = 5 * 60_000;
const HELD = 60_000;

/** Names of errors that say that the credentials are not, or no longer, good. */
export const CREDENTIALS_REFUSED: ReadonlySet<string> = new Set([
  ...["ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch"],
  ...["TokenRefreshRequired", "UnrecognizedClientException", "InvalidClientTokenId"],
]);

/**
 * The SDK's own chain (environment, profile, role), asked again and again. The SDK keeps what a profile's files said for
 * as long as the process lives, and a daemon lives longer than credentials that are rotated.
 */
export class AwsCredentials {
  #ends: Date | undefined;

  /** For the SDK's `credentials`. */
  readonly provide: ReturnType<typeof defaultProvider> = async (options) => {
    const identity = await defaultProvider({ ignoreCache: true })(options);
    // Given out as it is: `expire` sets it back where the SDK holds it.
    this.#ends = new Date(identity.expiration ?? Date.now() + REFRESH + HELD);
    return { ...identity, expiration: this.#ends };
  };

  /** The store refused them: the next request looks for others. False where none were given out. */
  expire(): boolean {
    this.#ends?.setTime(0);
    return this.#ends !== undefined;
  }
}
