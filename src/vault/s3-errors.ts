import { NoSuchKey, type S3ServiceException } from "@aws-sdk/client-s3";
import { ZodError } from "zod";
import { HoldfastError, hasCode } from "../core/error.ts";
import { retryAfter } from "../io/retry.ts";
import { CREDENTIALS_REFUSED } from "../net/aws-credentials.ts";
import { networkFailure } from "../net/failure.ts";
import type { PutOptions } from "./vault.ts";

/** Bytes that were altered on the wire: another try may bring them whole. */
const DAMAGE = new Set(["BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"]);
/** Error names that mean "try again", whatever the status they come with. */
const TRANSIENT = new Set([
  ...["SlowDown", "Throttling", "ThrottlingException", "RequestTimeout"],
  // Someone took a multipart upload back while it was under way: the next attempt begins a new one.
  "NoSuchUpload",
  ...DAMAGE,
]);
/** A 409 that says what the bucket or object is, not that someone else was at work at the same time. */
const STATE = /^(Invalid\w*State|BucketAlready\w+|BucketNotEmpty|ObjectAlready\w+|ReplicationConfiguration\w+)$/;
/** A way of answering that this bucket lies elsewhere; the redirects come without a body. */
const ELSEWHERE = new Set(["AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException"]);
/** A 5xx that no waiting fixes: the store does not know what it is asked for. */
const NOT_IMPLEMENTED = 501;

const RETRIED = "It was tried several times. Check the endpoint, the network and the health of the store.";

/** No answer came, or none that the SDK can read; or the fault is Holdfast's or the SDK's own. */
function unanswered(error: unknown, name: string, what: string): HoldfastError {
  const failure = networkFailure(error);
  if (failure) {
    const isBucketHost = failure.code === "ENOTFOUND" && /^[a-z0-9.-]+$/.test(hostOf(error));
    const style = isBucketHost
      ? ` If ${hostOf(error)} begins with the bucket's name, set vault.forcePathStyle: true.`
      : "";
    return new HoldfastError(
      failure.isTransient ? "vault-unavailable" : "vault-rejected",
      `${what}: no answer (${failure.code})`,
      { cause: error, hint: `${failure.hint ?? RETRIED}${style}` },
    );
  }
  const isDefect = DEFECTS.some((kind) => error instanceof kind) && !("$response" in (error as object));
  if (isDefect) return new HoldfastError("internal", `${what}: a defect of Holdfast (${name})`, { cause: error });
  return new HoldfastError("vault-unavailable", `${what}: no answer (${name})`, { cause: error, hint: RETRIED });
}

function hostOf(error: unknown): string {
  return String((error as { hostname?: unknown } | null)?.hostname ?? "");
}

/** What a program throws that is wrong; an answer that the SDK cannot read has `$response`. */
const DEFECTS = [TypeError, RangeError, ReferenceError, ZodError];

/** Whether the store says that the bytes it got do not fit their checksum. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && DAMAGE.has(error.name);
}

/** Whether the store does not know what it was asked. */
export function isNotImplemented(error: unknown): boolean {
  const { name, $metadata } = (error ?? {}) as Partial<S3ServiceException>;
  const status = $metadata?.httpStatusCode;
  return status === NOT_IMPLEMENTED || status === 405 || name === "NotImplemented" || name === "MethodNotAllowed";
}

/** What the SDK threw, in Holdfast's words. `what` names the operation and the object: no personal data is in a key. */
export function s3Error(error: unknown, what: string): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const name = error instanceof Error ? error.name : "unknown";
  if (name === "CredentialsProviderError") {
    return new HoldfastError("vault-denied", `${what}: no S3 credentials were found`, {
      cause: error,
      hint: "Holdfast looked in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), the profile (~/.aws, AWS_PROFILE) and the machine's role.",
    });
  }
  if (CREDENTIALS_REFUSED.has(name)) {
    return new HoldfastError("vault-denied", `${what}: the S3 credentials were refused (${name})`, {
      cause: error,
      hint: "Give the AWS SDK valid credentials (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role).",
    });
  }
  if (name === "RequestTimeTooSkewed") {
    return new HoldfastError("vault-denied", `${what}: the clocks of this machine and of the store differ too much`, {
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
  if (status === 412)
    return new HoldfastError("vault-conflict", `${what}: the object is not as expected`, { cause: error });
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
      hint: "Give these credentials the right named here on the bucket and prefix; a lock may also forbid it.",
    });
  }
  return new HoldfastError("vault-rejected", `${what}: ${status} (${name})`, {
    cause: error,
    ...(ELSEWHERE.has(name) || status < 400
      ? { hint: "Give the bucket's own region: vault.region, or AWS_REGION." }
      : {}),
  });
}

/** A condition that does not hold. To If-Match AWS answers 404 where there is no object at all. */
export function putError(error: unknown, what: string, { ifAbsent, ifMatch }: PutOptions): HoldfastError {
  const failure = s3Error(error, what);
  if (ifAbsent && failure.code === "vault-conflict") {
    return new HoldfastError("vault-exists", `${what}: it is there already`, { cause: error });
  }
  if (ifMatch !== undefined && error instanceof NoSuchKey) {
    return new HoldfastError("vault-conflict", `${what}: the object is not there`, { cause: error });
  }
  return failure;
}

/** A lock shows itself as a refusal; S3 does not say whether the lock or the policy refused. */
export function lockedError(error: unknown, what: string): HoldfastError {
  const failure = s3Error(error, what);
  if (!hasCode(failure, "vault-denied") || !(error instanceof Error) || error.name !== "AccessDenied") return failure;
  return new HoldfastError("vault-locked", `${what}: refused: the lock forbids it, or the right is missing`, {
    cause: error,
  });
}
