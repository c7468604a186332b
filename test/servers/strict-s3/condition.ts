import type { Bucket } from "./bucket.ts";
import { Refusal } from "./refusal.ts";
import type { Request } from "./request.ts";
import type { Store } from "./store.ts";

/** Conditional writes as in AWS since 2024: PutObject and CompleteMultipartUpload, against the current version. */
export function checkCondition({ conditionals }: Store, bucket: Bucket, { key, headers }: Request): void {
  const ifNoneMatch = headers["if-none-match"];
  const ifMatch = headers["if-match"];
  if (conditionals === "ignored" || (ifNoneMatch ?? ifMatch) === undefined) return;
  if (conditionals === "refused") throw new Refusal(501, "NotImplemented", "a conditional write");
  const current = bucket.current(key);
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== "*") throw new Refusal(501, "NotImplemented", "If-None-Match takes * only");
    if (current !== undefined) throw new Refusal(412, "PreconditionFailed");
  }
  if (ifMatch !== undefined) {
    // Ceph RGW 16 refuses the right one too.
    if (conditionals === "create-only") throw new Refusal(412, "PreconditionFailed");
    if (current === undefined) throw new Refusal(404, "NoSuchKey");
    if (unquoted(ifMatch) !== unquoted(current.etag)) throw new Refusal(412, "PreconditionFailed");
  }
}

export function unquoted(etag: string): string {
  return etag.replace(/^"(.*)"$/, "$1");
}
