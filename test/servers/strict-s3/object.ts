import { createHash } from "node:crypto";
import { type Answer, document, element, textOf } from "./answer.ts";
import type { Version } from "./bucket.ts";
import { checkBody } from "./checksum.ts";
import { checkCondition } from "./condition.ts";
import { bypasses, checkChange, checkRemoval, isoDate, lockHeaders, lockOfHeaders, lockOfXml } from "./lock.ts";
import { Refusal } from "./refusal.ts";
import type { Request } from "./request.ts";
import type { Store } from "./store.ts";

export function putObject(store: Store, request: Request): Answer {
  const bucket = store.bucket(request);
  const lock = lockOfHeaders(request.headers, bucket.locks, store.now());
  const checksum = store.checksums ? checkBody(request, bucket.locks) : {};
  checkCondition(store, bucket, request);
  const version = bucket.add({
    ...(store.putLocks ? lock : { retention: null, hold: false }),
    key: request.key,
    etag: `"${createHash("md5").update(request.body).digest("hex")}"`,
    bytes: request.body,
    metadata: metadataOf(request),
    modified: store.now(),
    marker: false,
  });
  return { status: 200, headers: { ...checksum, etag: version.etag, ...store.versionHeader(bucket, version) } };
}

/** GetObject and HeadObject. The server omits the body for HeadObject. */
export function getObject(store: Store, request: Request): Answer {
  const bucket = store.bucket(request);
  const version = bucket.find(request);
  return {
    status: 200,
    headers: {
      ...version.metadata,
      ...lockHeaders(version),
      ...store.versionHeader(bucket, version),
      etag: version.etag,
      "last-modified": new Date(version.modified).toUTCString(),
      "accept-ranges": "bytes",
    },
    body: version.bytes,
  };
}

/** With a version, removes it permanently. Without one, adds a delete marker. Idempotent. */
export function deleteObject(store: Store, request: Request): Answer {
  const bucket = store.bucket(request);
  const id = request.query.get("versionId");
  checkCondition(store, bucket, request);
  if (id === null) {
    const hidden = { bytes: Buffer.alloc(0), etag: "", metadata: {}, retention: null, hold: false };
    const marker = bucket.add({ ...hidden, key: request.key, modified: store.now(), marker: true });
    return { status: 204, headers: { "x-amz-delete-marker": "true", ...store.versionHeader(bucket, marker) } };
  }
  const version = bucket.versions(request.key).find((each) => each.id === id);
  if (version !== undefined) {
    if (store.enforced) checkRemoval(version, bypasses(request.headers), store.now());
    bucket.remove(version);
  }
  return {
    status: 204,
    headers: { "x-amz-version-id": id, ...(version?.marker ? { "x-amz-delete-marker": "true" } : {}) },
  };
}

export function putRetention(store: Store, request: Request): Answer {
  const version = lockable(store, request);
  checkBody(request, true);
  const next = lockOfXml(String(request.body), store.now());
  checkChange(version.retention, next, bypasses(request.headers), store.now());
  if (store.retention) version.retention = next;
  return { status: 200 };
}

export function getRetention(store: Store, request: Request): Answer {
  const { retention } = lockable(store, request);
  if (retention === null) throw new Refusal(404, "NoSuchObjectLockConfiguration");
  return document("Retention", [element("Mode", retention.mode), element("RetainUntilDate", isoDate(retention.until))]);
}

export function putLegalHold(store: Store, request: Request): Answer {
  const version = lockable(store, request);
  checkBody(request, true);
  const status = textOf(String(request.body), "Status");
  if (status !== "ON" && status !== "OFF") throw new Refusal(400, "MalformedXML");
  version.hold = status === "ON";
  return { status: 200 };
}

export function getLegalHold(store: Store, request: Request): Answer {
  return document("LegalHold", [element("Status", lockable(store, request).hold ? "ON" : "OFF")]);
}

function lockable(store: Store, request: Request): Version {
  const bucket = store.bucket(request);
  if (!bucket.locks) throw new Refusal(400, "InvalidRequest", "Bucket is missing Object Lock Configuration");
  return bucket.find(request);
}

export function metadataOf({ headers }: Request): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => name.startsWith("x-amz-meta-") || name === "content-type");
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}
