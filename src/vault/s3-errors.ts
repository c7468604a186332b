import { NoSuchKey, type S3ServiceException } from "@aws-sdk/client-s3";
import { ZodError } from "zod";
import { HoldfastError, hasCode } from "../core/error.ts";
import { retryAfter } from "../io/retry.ts";
import { CREDENTIALS_REFUSED } from "../net/aws-credentials.ts";
import { networkFailure } from "../net/failure.ts";
import { addressOf } from "./s3-address.ts";
import type { PutOptions } from "./vault.ts";

/** The bytes were altered in transit. A retry may succeed. */
const DAMAGE = new Set(["BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"]);
/** Error names that mean "try again", whatever their status. */
const TRANSIENT = new Set([
  ...["SlowDown", "Throttling", "ThrottlingException", "RequestTimeout"],
  // Someone aborted a multipart upload while it ran. The next attempt starts a new one.
  "NoSuchUpload",
  ...DAMAGE,
]);
/** A 409 about the state of the bucket or object, not about a concurrent request. */
const STATE = /^(Invalid\w*State|BucketAlready\w+|BucketNotEmpty|ObjectAlready\w+|ReplicationConfiguration\w+)$/;
/** Answers that mean the bucket is in another region. Redirects have no body. */
const ELSEWHERE = new Set(["AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException"]);
/** A 5xx that no retry fixes: the store does not support the request. */
const NOT_IMPLEMENTED = 501;

const NO_CREDENTIALS = "no S3 credentials found; looked at: environment, shared profile, container and instance role";
const RETRIED = "Holdfast retried several times. Check the endpoint, the network and the store's health.";

/** The store sent no answer, or one that the SDK cannot read; or Holdfast or the SDK has a bug. */
function unanswered(error: unknown, name: string, what: string): HoldfastError {
  const failure = networkFailure(error);
  if (failure) {
    const isBucketHost = failure.code === "ENOTFOUND" && /^[a-z0-9.-]+$/.test(hostOf(error));
    const style = isBucketHost
      ? ` If ${hostOf(error)} begins with the bucket's name, set vault.forcePathStyle: true.`
      : "";
    const from = addressOf(error);
    // Of a server that cannot be reached, it says nothing what it was asked.
    const unreached = from !== undefined && UNREACHED.test(failure.code);
    return new HoldfastError(
      failure.isTransient ? "vault-unavailable" : "vault-rejected",
      unreached
        ? `cannot reach the S3 endpoint ${from} (${failure.code})`
        : `${what}: no answer${from === undefined ? "" : ` from ${from}`} (${failure.code})`,
      { cause: error, hint: `${failure.hint ?? RETRIED}${style}` },
    );
  }
  const isDefect = DEFECTS.some((kind) => error instanceof kind) && !("$response" in (error as object));
  if (isDefect) return new HoldfastError("internal", `${what}: a bug in Holdfast (${name})`, { cause: error });
  return new HoldfastError("vault-unavailable", `${what}: no answer (${name})`, { cause: error, hint: RETRIED });
}

/** The connection itself was refused, or there is no way to the host. */
const UNREACHED = /^E(CONNREFUSED|HOSTUNREACH|HOSTDOWN|NETUNREACH|NETDOWN|NOTFOUND|AI_\w+)$/;

function hostOf(error: unknown): string {
  return String((error as { hostname?: unknown } | null)?.hostname ?? "");
}

/** Errors that point to a bug. If the SDK cannot read an answer, its error has `$response`. */
const DEFECTS = [TypeError, RangeError, ReferenceError, ZodError];

/** Whether the store reports that the bytes do not match their checksum. */
export function isChecksumMismatch(error: unknown): boolean {
  return error instanceof Error && DAMAGE.has(error.name);
}

/** Whether the store does not support the request. */
export function isNotImplemented(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as Partial<S3ServiceException>;
  const status = $metadata?.httpStatusCode;
  return status === NOT_IMPLEMENTED || status === 405 || name === "NotImplemented" || name === "MethodNotAllowed";
}

/** Turns an SDK error into a HoldfastError. `what` names the operation and the object; keys hold no personal data. */
export function s3Error(error: unknown, what: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const name = error instanceof Error ? short(error.name) : "unknown";
  if (name === "CredentialsProviderError") {
    return new HoldfastError("vault-denied", NO_CREDENTIALS, {
      cause: error,
      hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE with a profile in ~/.aws, or give this machine a role.",
    });
  }
  if (CREDENTIALS_REFUSED.has(name)) {
    return new HoldfastError("vault-denied", `${what}: the S3 credentials were refused (${name})`, {
      cause: error,
      hint: "Give the AWS SDK valid credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role).",
    });
  }
  if (name === "RequestTimeTooSkewed") {
    return new HoldfastError("vault-denied", `${what}: this machine's clock differs too much from the store's`, {
      cause: error,
      hint: "Set this machine's clock: signatures, locks and the audit log depend on it.",
    });
  }
  const status = (error as Partial<S3ServiceException> | null)?.$metadata?.httpStatusCode;
  if (status === undefined) return unanswered(error, name, what);
  if (
    (status >= 500 && status !== NOT_IMPLEMENTED) ||
    status === 429 ||
    (status === 409 && !STATE.test(name)) ||
    TRANSIENT.has(name)
  ) {
    const header = (error as Partial<S3ServiceException> | null)?.$response?.headers["retry-after"];
    return new HoldfastError("vault-unavailable", `${what}: ${status} (${name})`, {
      cause: error,
      hint: RETRIED,
      retryAfter: retryAfter(header),
    });
  }
  if (status === 412) return new HoldfastError("vault-conflict", `${what}: the object has changed`, { cause: error });
  if (status === 404) {
    const bucket = name === "NoSuchBucket";
    return new HoldfastError("vault-missing", `${what}: ${bucket ? "no such bucket" : "no such object"}`, {
      cause: error,
      ...(bucket ? { hint: "Create the bucket with Object Lock enabled, or correct vault.url." } : {}),
    });
  }
  if (status === 403) {
    return new HoldfastError("vault-denied", `${what}: refused by the store (${name})`, {
      cause: error,
      hint: "Grant these credentials the right named here on the bucket and prefix. A lock may also be the reason.",
    });
  }
  return new HoldfastError("vault-rejected", `${what}: ${status} (${name})`, {
    cause: error,
    ...(ELSEWHERE.has(name) || status < 400 ? { hint: "Set the bucket's region: vault.region, or AWS_REGION." } : {}),
  });
}

/** The store's word, which may be of any length. */
function short(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
}

const MAX_NAME = 100;

/** The error of a failed condition. If there is no object at all, AWS answers If-Match with 404. */
export function putError(error: unknown, what: string, { ifAbsent, ifMatch }: PutOptions): HoldfastError {
  const failure = s3Error(error, what);
  if (ifAbsent && failure.code === "vault-conflict") {
    return new HoldfastError("vault-exists", `${what}: the object already exists`, { cause: error });
  }
  if (ifMatch !== undefined && error instanceof NoSuchKey) {
    return new HoldfastError("vault-conflict", `${what}: the object does not exist`, { cause: error });
  }
  return failure;
}

/** S3 answers "access denied" for a locked version. It does not say whether the lock or the policy is the reason. */
export function lockedError(error: unknown, what: string): HoldfastError {
  const failure = s3Error(error, what);
  if (!hasCode(failure, "vault-denied") || !(error instanceof Error) || error.name !== "AccessDenied") return failure;
  return new HoldfastError("vault-locked", `${what}: refused: the object is locked, or the right is missing`, {
    cause: error,
  });
}
