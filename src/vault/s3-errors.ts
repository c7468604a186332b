import { S3ServiceException } from "@aws-sdk/client-s3";
import { HoldfastError } from "../error.ts";
import { retryAfter } from "../retry-after.ts";

/** Error names that mean "try again", whatever the status they come with. */
const TRANSIENT = new Set(["SlowDown", "Throttling", "ThrottlingException", "RequestTimeout"]);
const CREDENTIALS = new Set([
  "ExpiredToken",
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "CredentialsProviderError",
  "TokenRefreshRequired",
]);

/** What the SDK threw, in Holdfast's words. `what` names the operation and the object: no personal data is in a key. */
export function s3Error(error: unknown, what: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const name = error instanceof Error ? error.name : "unknown";
  if (CREDENTIALS.has(name)) {
    return new HoldfastError("vault-denied", `${what}: the S3 credentials were refused (${name})`, {
      cause: error,
      mend: "Give the AWS SDK valid credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role).",
    });
  }
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (status === undefined || status >= 500 || status === 429 || status === 409 || TRANSIENT.has(name)) {
    const header = (error as S3ServiceException).$response?.headers["retry-after"];
    return new HoldfastError("vault-unavailable", `${what}: ${status ?? "no answer"} (${name})`, {
      cause: error,
      mend: "It was tried several times. Check the endpoint, the network and the health of the store.",
      retryAfter: retryAfter(header),
    });
  }
  if (status === 412)
    return new HoldfastError("vault-conflict", `${what}: the object is not as expected`, { cause: error });
  if (status === 404) {
    const bucket = name === "NoSuchBucket";
    return new HoldfastError("vault-missing", `${what}: ${bucket ? "no such bucket" : "no such object"}`, {
      cause: error,
      ...(bucket ? { mend: "Create the bucket with Object Lock enabled, or correct vault.url." } : {}),
    });
  }
  if (status === 403) {
    return new HoldfastError("vault-denied", `${what}: refused by the store (${name})`, {
      cause: error,
      mend: "Give these credentials the right named here on the bucket and prefix; a lock may also forbid it.",
    });
  }
  return new HoldfastError("vault-rejected", `${what}: ${status} (${name})`, { cause: error });
}
