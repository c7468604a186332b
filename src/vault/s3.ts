import { createHash } from "node:crypto";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { HoldfastError, hasCode } from "../error.ts";
import { defaultRetry, retrying } from "../retry.ts";
import { covers } from "./lock.ts";
import { s3Error } from "./s3-errors.ts";
import type { Lock, ObjectInfo, PutOptions, Stored, Vault, VersionInfo } from "./vault.ts";

export interface S3Options {
  readonly bucket: string;
  /** Without slashes at either end; may be empty. */
  readonly prefix: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly forcePathStyle?: boolean | undefined;
  /** How many requests may be under way at once: the size of the connection pool. */
  readonly concurrency: number;
  /** Longest silence on a connection, in ms. */
  readonly idleTimeout?: number;
}

const PART = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
/** How AWS and Ceph say that a version has no lock. */
const NO_LOCK = new Set(["NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"]);

/** A bucket with versioning and Object Lock, on AWS or anything that speaks its protocol. */
export class S3Vault implements Vault {
  readonly url: string;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(options: S3Options) {
    this.url = `s3://${options.bucket}${options.prefix && `/${options.prefix}`}`;
    this.#bucket = options.bucket;
    this.#prefix = options.prefix && `${options.prefix}/`;
    const sockets = { keepAlive: true, maxSockets: options.concurrency * PARTS_AT_ONCE };
    const idle = options.idleTimeout ?? 60_000;
    this.#client = new S3Client({
      region: options.region ?? process.env.AWS_REGION ?? "us-east-1",
      ...(options.endpoint ? { endpoint: options.endpoint } : {}),
      forcePathStyle: options.forcePathStyle ?? false,
      // Older gateways refuse the trailers that the SDK's default sends; every write below brings its own checksum.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: Math.min(10_000, idle),
        requestTimeout: idle,
        throwOnRequestTimeout: true,
        socketTimeout: idle,
        httpAgent: new HttpAgent(sockets),
        httpsAgent: new HttpsAgent(sockets),
      },
    });
  }

  async put(
    key: string,
    body: Uint8Array | (() => Promise<AsyncIterable<Uint8Array>>),
    options: PutOptions = {},
  ): Promise<Stored> {
    return body instanceof Uint8Array
      ? this.#putWhole(key, body, options)
      : this.#putParts(key, await body(), options.lock);
  }

  async #putWhole(key: string, body: Uint8Array, { lock, ifAbsent, ifMatch }: PutOptions): Promise<Stored> {
    const sha256 = createHash("sha256").update(body).digest("hex");
    try {
      const output = await this.#client.send(
        new PutObjectCommand({
          ...this.#object(key),
          Body: body,
          ContentLength: body.length,
          ContentMD5: createHash("md5").update(body).digest("base64"),
          ContentType: "application/octet-stream",
          Metadata: { sha256 },
          ...lockHeaders(lock),
          ...(ifAbsent ? { IfNoneMatch: "*" } : {}),
          ...(ifMatch ? { IfMatch: ifMatch } : {}),
        }),
      );
      return this.#stored(key, output, body.length, sha256);
    } catch (error) {
      const failure = s3Error(error, `PUT ${key}`);
      if (ifAbsent && failure.code === "vault-conflict") {
        throw new HoldfastError("vault-exists", `PUT ${key}: it is there already`, { cause: error });
      }
      throw failure;
    }
  }

  /** Multipart: the bytes are hashed as they pass; a producer that throws leaves no object behind. */
  async #putParts(key: string, body: AsyncIterable<Uint8Array>, lock: Lock | undefined): Promise<Stored> {
    const hash = createHash("sha256");
    let size = 0;
    const source = Readable.from(
      (async function* () {
        for await (const chunk of body) {
          hash.update(chunk);
          size += chunk.length;
          yield chunk;
        }
      })(),
      { objectMode: false, highWaterMark: 256 * 1024 },
    );
    const upload = new Upload({
      client: this.#client,
      partSize: PART,
      queueSize: PARTS_AT_ONCE,
      params: {
        ...this.#object(key),
        Body: source,
        ContentType: "application/octet-stream",
        ChecksumAlgorithm: "SHA256",
        ...lockHeaders(lock),
      },
    });
    try {
      const output = (await upload.done()) as { VersionId?: string; ETag?: string };
      // Ceph RGW 16 completes a multipart upload without naming version or etag: it is the newest.
      const { versionId: VersionId, etag: ETag } =
        output.VersionId && output.ETag ? { versionId: output.VersionId, etag: output.ETag } : await this.head(key);
      const stored = this.#stored(key, { VersionId, ETag }, size, hash.digest("hex"));
      if (lock) await this.#ensureLock(key, stored.versionId, lock);
      return stored;
    } catch (error) {
      throw s3Error(error, `multipart PUT ${key}`);
    } finally {
      source.destroy();
    }
  }

  /**
   * Some servers complete a multipart upload and silently drop its lock (Ceph RGW 16), so what was asked for is read
   * back, and set where it is missing. Some refuse a retention in the second after the upload: that is waited out.
   */
  async #ensureLock(key: string, versionId: string, lock: Lock): Promise<void> {
    if (covers(await this.#retention(key, versionId), lock)) return;
    await retrying(() => this.lock(key, versionId, lock), defaultRetry);
    if (!covers(await this.#retention(key, versionId), lock)) {
      throw new HoldfastError(
        "vault-unfit",
        `${key}: the store accepted the object and its lock, but the lock is not there`,
        {
          mend: "Check that the bucket has Object Lock enabled and that s3:PutObjectRetention is granted; run doctor.",
        },
      );
    }
  }

  async #retention(key: string, versionId: string): Promise<Lock | null> {
    try {
      const output = await this.#client.send(
        new GetObjectRetentionCommand({ ...this.#object(key), VersionId: versionId }),
      );
      return lockOf(output.Retention?.Mode, output.Retention?.RetainUntilDate);
    } catch (error) {
      if (error instanceof Error && NO_LOCK.has(error.name)) return null;
      throw s3Error(error, `GET retention of ${key}`);
    }
  }

  async stream(key: string, versionId?: string): Promise<AsyncIterable<Uint8Array>> {
    const { body } = await this.#get(key, versionId);
    return (async function* () {
      try {
        yield* body as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw s3Error(error, `GET ${key}`);
      }
    })();
  }

  async read(key: string, limit: number, versionId?: string): Promise<{ bytes: Uint8Array; info: ObjectInfo }> {
    const { body, info } = await this.#get(key, versionId);
    if (info.size > limit) {
      body.destroy();
      throw new HoldfastError("malformed", `${key}: ${info.size} bytes, where at most ${limit} are expected`);
    }
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(chunk as Uint8Array);
      return { bytes: Buffer.concat(chunks), info };
    } catch (error) {
      throw s3Error(error, `GET ${key}`);
    }
  }

  async #get(key: string, versionId?: string): Promise<{ body: Readable; info: ObjectInfo }> {
    try {
      const output = await this.#client.send(
        new GetObjectCommand({ ...this.#object(key), ...(versionId ? { VersionId: versionId } : {}) }),
      );
      return { body: output.Body as Readable, info: infoOf(key, output) };
    } catch (error) {
      throw s3Error(error, `GET ${key}`);
    }
  }

  async head(key: string, versionId?: string): Promise<ObjectInfo> {
    try {
      const output = await this.#client.send(
        new HeadObjectCommand({ ...this.#object(key), ...(versionId ? { VersionId: versionId } : {}) }),
      );
      return infoOf(key, output);
    } catch (error) {
      throw s3Error(error, `HEAD ${key}`);
    }
  }

  async *list(prefix: string): AsyncGenerator<{ key: string; size: number }> {
    let token: string | undefined;
    do {
      const page = await retrying(() => this.#page(prefix, token), defaultRetry);
      for (const { Key, Size } of page.Contents ?? []) {
        if (Key !== undefined) yield { key: Key.slice(this.#prefix.length), size: Size ?? 0 };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async #page(prefix: string, token: string | undefined) {
    try {
      return await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: this.#prefix + prefix,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      );
    } catch (error) {
      throw s3Error(error, `LIST ${prefix}`);
    }
  }

  async *versions(prefix: string): AsyncGenerator<VersionInfo> {
    let marker: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
    while (marker !== undefined) {
      const from: { KeyMarker?: string; VersionIdMarker?: string } = marker;
      const page: ListObjectVersionsCommandOutput = await retrying(() => this.#versionPage(prefix, from), defaultRetry);
      const found = [
        ...(page.Versions ?? []).map((version) => ({ ...version, deleteMarker: false })),
        ...(page.DeleteMarkers ?? []).map((version) => ({ ...version, Size: 0, deleteMarker: true })),
      ];
      // The SDK sorts marks from versions; within a key the server's order, newest first, is put together again by time.
      found.sort((a, b) => compareKeys(a.Key, b.Key) || Number(b.LastModified ?? 0) - Number(a.LastModified ?? 0));
      for (const { Key = "", VersionId = "null", Size = 0, deleteMarker } of found) {
        yield { key: Key.slice(this.#prefix.length), versionId: VersionId, size: Size, deleteMarker };
      }
      marker = page.IsTruncated
        ? {
            ...(page.NextKeyMarker === undefined ? {} : { KeyMarker: page.NextKeyMarker }),
            ...(page.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: page.NextVersionIdMarker }),
          }
        : undefined;
    }
  }

  async #versionPage(prefix: string, from: object): Promise<ListObjectVersionsCommandOutput> {
    try {
      return await this.#client.send(
        new ListObjectVersionsCommand({ Bucket: this.#bucket, Prefix: this.#prefix + prefix, ...from }),
      );
    } catch (error) {
      throw s3Error(error, `LIST versions of ${prefix}`);
    }
  }

  async lock(key: string, versionId: string, lock: Lock): Promise<void> {
    try {
      await this.#client.send(
        new PutObjectRetentionCommand({
          ...this.#object(key),
          VersionId: versionId,
          Retention: { Mode: modeHeader(lock), RetainUntilDate: date(lock.until) },
          ChecksumAlgorithm: "SHA256",
        }),
      );
    } catch (error) {
      throw lockedError(error, `lock ${key}`);
    }
  }

  async deleteVersion(key: string, versionId: string): Promise<void> {
    try {
      await this.#client.send(new DeleteObjectCommand({ ...this.#object(key), VersionId: versionId }));
    } catch (error) {
      throw lockedError(error, `DELETE ${key}`);
    }
  }

  async inspect(): Promise<void> {
    const mend =
      "Object Lock is set when a bucket is made: aws s3api create-bucket --object-lock-enabled-for-bucket … (it turns versioning on).";
    try {
      const { Status } = await this.#client.send(new GetBucketVersioningCommand({ Bucket: this.#bucket }));
      if (Status !== "Enabled") {
        throw new HoldfastError("vault-unfit", `bucket ${this.#bucket}: versioning is not enabled`, { mend });
      }
      const { ObjectLockConfiguration } = await this.#client.send(
        new GetObjectLockConfigurationCommand({ Bucket: this.#bucket }),
      );
      if (ObjectLockConfiguration?.ObjectLockEnabled !== "Enabled") {
        throw new HoldfastError("vault-unfit", `bucket ${this.#bucket}: Object Lock is not enabled`, { mend });
      }
    } catch (error) {
      if (error instanceof Error && error.name === "ObjectLockConfigurationNotFoundError") {
        throw new HoldfastError("vault-unfit", `bucket ${this.#bucket}: Object Lock is not enabled`, {
          cause: error,
          mend,
        });
      }
      throw s3Error(error, `inspect bucket ${this.#bucket}`);
    }
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  #stored(
    key: string,
    output: { VersionId?: string | undefined; ETag?: string | undefined },
    size: number,
    sha256: string,
  ): Stored {
    if (!output.VersionId || !output.ETag) {
      throw new HoldfastError("vault-unfit", `PUT ${key}: the store gave no version id`, {
        mend: `Enable versioning on bucket ${this.#bucket}: without it an object can be overwritten.`,
      });
    }
    return { key, versionId: output.VersionId, etag: output.ETag, size, sha256 };
  }
}

function infoOf(key: string, output: HeadObjectCommandOutput): ObjectInfo {
  return {
    key,
    versionId: output.VersionId ?? "null",
    etag: output.ETag ?? "",
    size: output.ContentLength ?? 0,
    sha256: output.Metadata?.sha256 ?? null,
    lock: lockOf(output.ObjectLockMode, output.ObjectLockRetainUntilDate),
    hold: output.ObjectLockLegalHoldStatus === "ON",
  };
}

function lockOf(mode: string | undefined, until: Date | undefined): Lock | null {
  if (mode === undefined || until === undefined) return null;
  return {
    mode: mode === "COMPLIANCE" ? "compliance" : "governance",
    until: Temporal.Instant.fromEpochMilliseconds(until.getTime()),
  };
}

function lockHeaders(lock: Lock | undefined) {
  return lock ? { ObjectLockMode: modeHeader(lock), ObjectLockRetainUntilDate: date(lock.until) } : {};
}

function modeHeader({ mode }: Lock): "GOVERNANCE" | "COMPLIANCE" {
  return mode === "compliance" ? "COMPLIANCE" : "GOVERNANCE";
}

function date(instant: Temporal.Instant): Date {
  return new Date(instant.epochMilliseconds);
}

/** A lock shows itself as a refusal; S3 does not say whether the lock or the policy refused. */
function lockedError(error: unknown, what: string): HoldfastError {
  const failure = s3Error(error, what);
  if (!hasCode(failure, "vault-denied") || !(error instanceof Error) || error.name !== "AccessDenied") return failure;
  return new HoldfastError("vault-locked", `${what}: refused: the lock forbids it, or the right is missing`, {
    cause: error,
  });
}

function compareKeys(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
