/** What rclone and restic send to S3 and the tests' strict server refuses, because Holdfast must never send it. */
import type { IncomingMessage } from "node:http";
import { type Answer, document, element } from "../../servers/strict-s3/answer.ts";
import { isoDate } from "../../servers/strict-s3/lock.ts";
import { Refusal } from "../../servers/strict-s3/refusal.ts";
import type { Request } from "../../servers/strict-s3/request.ts";
import type { Store } from "../../servers/strict-s3/store.ts";

export interface Plainly {
  /** Without what only says how the answer is written, or who asks. */
  readonly url: string;
  /** Without the signatures between its chunks. */
  readonly body: Buffer;
  /** Whether it is from one of them, so that Holdfast's rules of signing are not asked of it. */
  readonly isOther: boolean;
  /** They list one folder at a time. */
  readonly delimiter?: string;
}

const OTHERS = /^(rclone|restic|minio|aws-sdk-go)/i;
const DROPPED = /^(x-amz-.*|encoding-type|fetch-owner|delimiter)$/i;

export function plainly({ url = "/", headers }: IncomingMessage, body: Buffer): Plainly {
  if (!OTHERS.test(headers["user-agent"] ?? "")) return { url, body, isOther: false };
  const [path = "", query = ""] = url.split("?");
  const kept = query.split("&").filter((part) => part !== "" && !DROPPED.test(part.split("=", 1)[0]!));
  const isChunked = String(headers["x-amz-content-sha256"] ?? "").startsWith("STREAMING-");
  const delimiter = new URLSearchParams(query).get("delimiter");
  return {
    ...(delimiter === null ? {} : { delimiter }),
    url: kept.length > 0 ? `${path}?${kept.join("&")}` : path,
    body: isChunked ? withoutSignatures(body) : body,
    isOther: true,
  };
}

/** `<size in hex>;chunk-signature=<hex>`, CRLF, so many bytes, CRLF; the last chunk is empty. */
function withoutSignatures(body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.toString("latin1", at, end), 16);
    if (end === -1 || Number.isNaN(size)) throw new Refusal(400, "IncompleteBody");
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

/** What lies in one folder: its objects, and the folders in it. */
export function listFolder(store: Store, request: Request, delimiter: string): Answer {
  const { bucket: name, query } = request;
  const bucket = store.bucket(request);
  const prefix = query.get("prefix") ?? "";
  const folders = new Set<string>();
  const objects = bucket.keys(prefix).flatMap((key) => {
    const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (end !== -1) folders.add(key.slice(0, end + delimiter.length));
    const version = end === -1 ? bucket.current(key) : undefined;
    return version === undefined ? [] : [version];
  });
  return document("ListBucketResult", [
    ...[element("Name", name), element("Prefix", prefix), element("Delimiter", delimiter)],
    ...[element("KeyCount", objects.length + folders.size), element("IsTruncated", false)],
    ...objects.map(({ key, etag, modified, bytes }) =>
      element("Contents", [
        ...[element("Key", key), element("LastModified", isoDate(modified))],
        ...[element("ETag", etag), element("Size", bytes.length)],
      ]),
    ),
    ...[...folders].map((folder) => element("CommonPrefixes", [element("Prefix", folder)])),
  ]);
}
