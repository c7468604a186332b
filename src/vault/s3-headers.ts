import { createHash } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";

/** Headers that an organisation's bucket policy may require. */
export interface BucketTerms {
  /** The store's own encryption, in addition to Holdfast's sealing. Undefined: the bucket's default. */
  readonly encryption?: "AES256" | "aws:kms" | "aws:kms:dsse" | undefined;
  /** ID or ARN of the KMS key. Undefined: the account's default key for S3. */
  readonly kmsKey?: string | undefined;
  /** The 12 digits of the account that must own the bucket. */
  readonly expectedOwner?: string | undefined;
  readonly requesterPays?: boolean | undefined;
}

/** Requests that store an object. */
const STORING = new Set(["PutObjectCommand", "CreateMultipartUploadCommand"]);
const WITH_DIGEST = new Set(["PutObjectCommand", "PutObjectRetentionCommand", "PutObjectLegalHoldCommand"]);
/** How stores say that a request with a lock needs a Content-MD5, whatever other checksum it has. */
const WANTS_MD5 = /content-md5/i;

/** Headers for both the SDK's requests and our own (`s3-put.ts`). */
export class BucketHeaders {
  readonly #terms: BucketTerms;
  /** Set by the first refusal, for the rest of this process. */
  #wantsMd5 = false;

  constructor(terms: BucketTerms) {
    this.#terms = terms;
  }

  /** Adds the headers to the client's requests. */
  attach(client: S3Client): void {
    client.middlewareStack.add(
      (next, { commandName = "" }) =>
        async (args) => {
          const { headers, body } = args.request as { headers: Record<string, string>; body: unknown };
          Object.assign(headers, this.common, STORING.has(commandName) ? this.storing : {});
          const hasDigest = WITH_DIGEST.has(commandName) && (typeof body === "string" || body instanceof Uint8Array);
          if (hasDigest && this.#wantsMd5) headers["content-md5"] ??= md5([body]);
          try {
            return await next(args);
          } catch (error) {
            if (!hasDigest || this.#wantsMd5 || headers["content-md5"] || !asksForMd5(error)) throw error;
            this.#wantsMd5 = true;
            headers["content-md5"] = md5([body]);
            return await next(args);
          }
        },
      // Before the request is signed.
      { step: "build", priority: "low", name: "bucketHeaders" },
    );
  }

  /** Headers of every request. */
  get common(): Record<string, string> {
    const { expectedOwner, requesterPays = false } = this.#terms;
    return {
      ...(expectedOwner === undefined ? {} : { "x-amz-expected-bucket-owner": expectedOwner }),
      ...(requesterPays ? { "x-amz-request-payer": "requester" } : {}),
    };
  }

  /** Headers of requests that store an object. */
  get storing(): Record<string, string> {
    const { encryption, kmsKey } = this.#terms;
    return {
      ...(encryption === undefined ? {} : { "x-amz-server-side-encryption": encryption }),
      ...(kmsKey === undefined ? {} : { "x-amz-server-side-encryption-aws-kms-key-id": kmsKey }),
    };
  }

  /** Headers of a PUT of a whole object. */
  ofPut(pieces: readonly Uint8Array[]): Record<string, string> {
    return { ...this.common, ...this.storing, ...(this.#wantsMd5 ? { "content-md5": md5(pieces) } : {}) };
  }
}

function asksForMd5(error: unknown): boolean {
  const { name = "", message = "", $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode === 400 && (WANTS_MD5.test(message) || WANTS_MD5.test(name.replace("MD5", "-MD5")));
}

function md5(pieces: readonly (string | Uint8Array)[]): string {
  const hash = createHash("md5");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("base64");
}
