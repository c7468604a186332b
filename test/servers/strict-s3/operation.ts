import { Refusal } from "./refusal.ts";

export type Operation =
  | "CreateBucket"
  | "HeadBucket"
  | "GetBucketVersioning"
  | "PutBucketVersioning"
  | "GetObjectLockConfiguration"
  | "GetBucketEncryption"
  | "GetPublicAccessBlock"
  | "GetBucketPolicyStatus"
  | "GetBucketLifecycleConfiguration"
  | "ListObjectsV2"
  | "ListObjectVersions"
  | "ListMultipartUploads"
  | "PutObject"
  | "GetObject"
  | "HeadObject"
  | "DeleteObject"
  | "PutObjectRetention"
  | "GetObjectRetention"
  | "PutObjectLegalHold"
  | "GetObjectLegalHold"
  | "CreateMultipartUpload"
  | "UploadPart"
  | "CompleteMultipartUpload"
  | "AbortMultipartUpload";

/** By method and subresource; the plain method has none. The first match counts. */
const OF_BUCKET: readonly (readonly [method: string, query: string | undefined, operation: Operation])[] = [
  ["GET", "versioning", "GetBucketVersioning"],
  ["PUT", "versioning", "PutBucketVersioning"],
  ["GET", "object-lock", "GetObjectLockConfiguration"],
  ["GET", "encryption", "GetBucketEncryption"],
  ["GET", "publicAccessBlock", "GetPublicAccessBlock"],
  ["GET", "policyStatus", "GetBucketPolicyStatus"],
  ["GET", "lifecycle", "GetBucketLifecycleConfiguration"],
  ["GET", "versions", "ListObjectVersions"],
  ["GET", "uploads", "ListMultipartUploads"],
  ["GET", "list-type", "ListObjectsV2"],
  ["PUT", undefined, "CreateBucket"],
  ["HEAD", undefined, "HeadBucket"],
];
const OF_OBJECT: typeof OF_BUCKET = [
  ["PUT", "retention", "PutObjectRetention"],
  ["GET", "retention", "GetObjectRetention"],
  ["PUT", "legal-hold", "PutObjectLegalHold"],
  ["GET", "legal-hold", "GetObjectLegalHold"],
  ["POST", "uploads", "CreateMultipartUpload"],
  ["PUT", "uploadId", "UploadPart"],
  ["POST", "uploadId", "CompleteMultipartUpload"],
  ["DELETE", "uploadId", "AbortMultipartUpload"],
  ["PUT", undefined, "PutObject"],
  ["GET", undefined, "GetObject"],
  ["HEAD", undefined, "HeadObject"],
  ["DELETE", undefined, "DeleteObject"],
];
/** What a query may contain besides the subresource. */
const PARAMETERS = new Set(
  "x-id versionId partNumber prefix start-after continuation-token max-keys key-marker version-id-marker".split(" "),
);

/** The operation of a request. Refuses unknown ones instead of doing something similar. */
export function operationOf(method: string, key: string, query: URLSearchParams): Operation {
  const table = key === "" ? OF_BUCKET : OF_OBJECT;
  const found = table.find(([m, name]) => m === method && (name === undefined || query.has(name)));
  const unknown = [...query.keys()].find((name) => name !== found?.[1] && !PARAMETERS.has(name));
  if (found === undefined || unknown !== undefined) {
    throw new Refusal(501, "NotImplemented", `${method} ${unknown ?? ""}`);
  }
  return found[2];
}
