import { createHash, randomBytes } from "node:crypto";
import { type Answer, document, element, textOf } from "./answer.ts";
import type { Bucket, MultipartUpload, UploadedPart } from "./bucket.ts";
import { checkBody } from "./checksum.ts";
import { checkCondition, unquoted } from "./condition.ts";
import { lockOfHeaders } from "./lock.ts";
import { metadataOf } from "./object.ts";
import { Refusal } from "./refusal.ts";
import type { Request } from "./request.ts";
import type { Store } from "./store.ts";

/** Minimum size of every part but the last. */
const SMALLEST_PART = 5 * 1024 * 1024;

export function createUpload(store: Store, request: Request): Answer {
  const bucket = store.bucket(request);
  const id = randomBytes(24).toString("base64url");
  const lock = lockOfHeaders(request.headers, bucket.locks, store.now());
  bucket.uploads.set(id, {
    ...(store.multipartLocks ? lock : { retention: null, hold: false }),
    key: request.key,
    metadata: metadataOf(request),
    checksumAlgorithm: request.headers["x-amz-checksum-algorithm"]?.toString().toLowerCase(),
    parts: new Map(),
  });
  return document("InitiateMultipartUploadResult", [
    element("Bucket", request.bucket),
    element("Key", request.key),
    element("UploadId", id),
  ]);
}

export function uploadPart(store: Store, request: Request): Answer {
  const bucket = store.bucket(request);
  const upload = find(bucket, request);
  const number = Number(request.query.get("partNumber"));
  if (!Number.isInteger(number) || number < 1 || number > 10_000) throw new Refusal(400, "InvalidArgument");
  const checksum = checkBody(request, bucket.locks);
  if (upload.checksumAlgorithm && !(`x-amz-checksum-${upload.checksumAlgorithm}` in checksum)) {
    throw new Refusal(400, "InvalidRequest", "the checksum's type is not the one the upload was created with");
  }
  const etag = `"${createHash("md5").update(request.body).digest("hex")}"`;
  upload.parts.set(number, { etag, bytes: request.body, checksum });
  return { status: 200, headers: { etag, ...checksum } };
}

export function completeUpload(store: Store, request: Request): Answer {
  const bucket = store.bucket(request);
  const upload = find(bucket, request);
  const parts = listed(upload, String(request.body));
  checkCondition(store, bucket, request);
  const digests = parts.map(({ etag }) => Buffer.from(unquoted(etag), "hex"));
  const version = bucket.add({
    key: upload.key,
    etag: `"${createHash("md5").update(Buffer.concat(digests)).digest("hex")}-${parts.length}"`,
    bytes: Buffer.concat(parts.map(({ bytes }) => bytes)),
    metadata: upload.metadata,
    retention: upload.retention,
    hold: upload.hold,
    modified: store.now(),
    marker: false,
  });
  bucket.uploads.delete(request.query.get("uploadId")!);
  return document(
    "CompleteMultipartUploadResult",
    [element("Bucket", request.bucket), element("Key", request.key), element("ETag", version.etag)],
    store.versionHeader(bucket, version),
  );
}

export function abortUpload(store: Store, request: Request): Answer {
  const bucket = store.bucket(request);
  find(bucket, request);
  bucket.uploads.delete(request.query.get("uploadId")!);
  return { status: 204 };
}

export function listUploads(store: Store, request: Request): Answer {
  const uploads = [...store.bucket(request).uploads].map(([id, { key }]) =>
    element("Upload", [element("Key", key), element("UploadId", id)]),
  );
  return document("ListMultipartUploadsResult", [element("IsTruncated", false), ...uploads]);
}

function find(bucket: Bucket, { key, query }: Request): MultipartUpload {
  const upload = bucket.uploads.get(query.get("uploadId") ?? "");
  if (upload === undefined || upload.key !== key) throw new Refusal(404, "NoSuchUpload");
  return upload;
}

/** The parts that a completion names, in order, each with its etag and, if the upload has one, its checksum. */
function listed(upload: MultipartUpload, xml: string): UploadedPart[] {
  const wanted = [...xml.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = ""]) => part);
  if (wanted.length === 0) throw new Refusal(400, "MalformedXML");
  let last = 0;
  return wanted.map((part, index) => {
    const number = Number(textOf(part, "PartNumber"));
    const found = upload.parts.get(number);
    if (found === undefined || unquoted(textOf(part, "ETag") ?? "") !== unquoted(found.etag)) {
      throw new Refusal(400, "InvalidPart");
    }
    if (number <= last) throw new Refusal(400, "InvalidPartOrder");
    last = number;
    if (index < wanted.length - 1 && found.bytes.length < SMALLEST_PART) throw new Refusal(400, "EntityTooSmall");
    if (upload.checksumAlgorithm) {
      const given = textOf(part, `Checksum${upload.checksumAlgorithm.toUpperCase()}`);
      if (given === undefined) throw new Refusal(400, "InvalidRequest", "the completion lacks a part's checksum");
      if (given !== found.checksum[`x-amz-checksum-${upload.checksumAlgorithm}`]) throw new Refusal(400, "InvalidPart");
    }
    return found;
  });
}
