import { type Answer, document, element, textOf } from "./answer.ts";
import { Bucket, type Version } from "./bucket.ts";
import { Refusal } from "./refusal.ts";
import type { Request } from "./request.ts";
import type { Settings } from "./settings.ts";

/** Where to be less strict than AWS. Omitted options are strict. */
export interface StrictOptions {
  /** Most keys per page of a listing, whatever the client asks for. */
  readonly pageSize?: number;
  /** How to treat If-Match and If-None-Match on writes: some servers accept and ignore them, others answer 501. */
  readonly conditionals?: "honoured" | "ignored" | "refused" | "create-only";
  /** False: silently drops the lock headers of a multipart upload, as Ceph RGW 16 does. */
  readonly multipartLocks?: boolean;
  /** False: silently drops the lock headers of PutObject. */
  readonly putLocks?: boolean;
  /** False: a locked version can be deleted like any other. */
  readonly enforced?: boolean;
  /** False: accepts a digest that does not match the body. */
  readonly checksums?: boolean;
  /** Settings of every bucket. Default: those of config/aws. */
  readonly settings?: Settings;
  /** False: answers PutObjectRetention with 200 and ignores it. */
  readonly retention?: boolean;
  /** False: no answer contains a version id. */
  readonly versionIds?: boolean;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** All buckets of one server, and how it behaves. */
export class Store {
  readonly pageSize: number;
  readonly conditionals: "honoured" | "ignored" | "refused" | "create-only";
  readonly multipartLocks: boolean;
  readonly retention: boolean;
  readonly putLocks: boolean;
  readonly enforced: boolean;
  readonly checksums: boolean;
  readonly settings: Settings;
  readonly now: () => number;
  readonly #versionIds: boolean;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: StrictOptions) {
    this.pageSize = options.pageSize ?? 1000;
    this.conditionals = options.conditionals ?? "honoured";
    this.multipartLocks = options.multipartLocks ?? true;
    this.retention = options.retention ?? true;
    this.putLocks = options.putLocks ?? true;
    this.enforced = options.enforced ?? true;
    this.checksums = options.checksums ?? true;
    this.settings = options.settings ?? {};
    this.now = options.now ?? Date.now;
    this.#versionIds = options.versionIds ?? true;
  }

  bucket({ bucket }: Pick<Request, "bucket">): Bucket {
    const found = this.#buckets.get(bucket);
    if (found === undefined) throw new Refusal(404, "NoSuchBucket");
    return found;
  }

  create(name: string, bucket: Bucket): void {
    if (this.#buckets.has(name)) throw new Refusal(409, "BucketAlreadyOwnedByYou");
    this.#buckets.set(name, bucket);
  }

  /** A bucket that never had versioning returns no version id. With suspended versioning it returns "null". */
  versionHeader(bucket: Bucket, version: Version): Record<string, string> {
    return bucket.versioning === undefined || !this.#versionIds ? {} : { "x-amz-version-id": version.id };
  }
}

export function createBucket(store: Store, { bucket, headers }: Request): Answer {
  store.create(bucket, new Bucket(headers["x-amz-bucket-object-lock-enabled"] === "true"));
  return { status: 200, headers: { location: `/${bucket}` } };
}

export function headBucket(store: Store, request: Request): Answer {
  store.bucket(request);
  return { status: 200 };
}

export function getVersioning(store: Store, request: Request): Answer {
  const { versioning } = store.bucket(request);
  return document("VersioningConfiguration", versioning ? [element("Status", versioning)] : []);
}

export function putVersioning(store: Store, request: Request): Answer {
  const bucket = store.bucket(request);
  const status = textOf(String(request.body), "Status");
  if (status !== "Enabled" && status !== "Suspended") throw new Refusal(400, "MalformedXML");
  if (bucket.locks && status === "Suspended") throw new Refusal(409, "InvalidBucketState");
  bucket.versioning = status;
  return { status: 200 };
}

export function getLockConfiguration(store: Store, request: Request): Answer {
  if (!store.bucket(request).locks) throw new Refusal(404, "ObjectLockConfigurationNotFoundError");
  const rule = store.settings.retention
    ? [`<Rule><DefaultRetention>${store.settings.retention}</DefaultRetention></Rule>`]
    : [];
  return document("ObjectLockConfiguration", [element("ObjectLockEnabled", "Enabled"), ...rule]);
}
