import { type Answer, document, element } from "./answer.ts";
import type { Version } from "./bucket.ts";
import { isoDate } from "./lock.ts";
import { Refusal } from "./refusal.ts";
import type { Request } from "./request.ts";
import type { Store } from "./store.ts";

/** The newest versions, one page per request. The token is opaque to clients. */
export function listObjects(store: Store, request: Request): Answer {
  const bucket = store.bucket(request);
  const { query } = request;
  const token = query.get("continuation-token");
  const after = token === null ? query.get("start-after") : Buffer.from(token, "base64url").toString();
  const rest = bucket
    .keys(query.get("prefix") ?? "")
    .filter((key) => after === null || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0)
    .map((key) => bucket.current(key))
    .filter((version) => version !== undefined);
  const page = rest.slice(0, pageSize(store, query));
  const next = page.length < rest.length ? page.at(-1)?.key : undefined;
  return document("ListBucketResult", [
    element("Name", request.bucket),
    element("KeyCount", page.length),
    element("IsTruncated", next !== undefined),
    ...(next === undefined ? [] : [element("NextContinuationToken", Buffer.from(next).toString("base64url"))]),
    ...page.map((version) => element("Contents", describe(version))),
  ]);
}

/** Every version and delete marker: by key, newest first. */
export function listVersions(store: Store, request: Request): Answer {
  const bucket = store.bucket(request);
  const { query } = request;
  const all = bucket.keys(query.get("prefix") ?? "").flatMap((key) => [...bucket.versions(key)].reverse());
  const page = from(all, query).slice(0, pageSize(store, query));
  const last = page.at(-1);
  const truncated = last !== undefined && last !== all.at(-1);
  return document("ListVersionsResult", [
    element("Name", request.bucket),
    element("IsTruncated", truncated),
    ...(truncated ? [element("NextKeyMarker", last.key), element("NextVersionIdMarker", last.id)] : []),
    ...page.map((version) =>
      element(version.marker ? "DeleteMarker" : "Version", [
        ...describe(version),
        element("VersionId", version.id),
        element("IsLatest", version === bucket.versions(version.key).at(-1)),
      ]),
    ),
  ]);
}

function from(all: readonly Version[], query: URLSearchParams): readonly Version[] {
  const key = query.get("key-marker");
  if (key === null) return all;
  const id = query.get("version-id-marker");
  const index = id === null ? all.findLastIndex((each) => each.key <= key) : all.findIndex((each) => each.id === id);
  if (id !== null && index === -1) throw new Refusal(400, "InvalidArgument", "version-id-marker");
  return all.slice(index + 1);
}

function describe({ key, etag, bytes, modified, marker }: Version): string[] {
  const common = [element("Key", key), element("LastModified", isoDate(modified))];
  return marker ? common : [...common, element("ETag", etag), element("Size", bytes.length)];
}

function pageSize(store: Store, query: URLSearchParams): number {
  return Math.min(store.pageSize, Number(query.get("max-keys") ?? 1000));
}
