import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { HoldfastError, hasCode } from "../core/error.ts";
import { defaultRetry, type RetryPolicy, retrying } from "../io/retry.ts";
import { covers } from "./lock.ts";
import { MeasuredBody, piecesOf } from "./measured-body.ts";
import { infoOf, wholeBody } from "./s3-answer.ts";
import { s3Client } from "./s3-client.ts";
import { isNotImplemented, lockedError, putError, s3Error } from "./s3-errors.ts";
import { BucketHeaders, type BucketTerms } from "./s3-headers.ts";
import { inspectBucket } from "./s3-inspect.ts";
import { type Bucket, listObjects } from "./s3-list.ts";
import { date, lockFrom, lockHeaders, modeHeader, NO_LOCK } from "./s3-lock.ts";
import { Puts } from "./s3-put.ts";
import { listVersions } from "./s3-versions.ts";
import type { Body, BodyProducer, Lock, ObjectInfo, PutOptions, Sent, Stored, Vault, VersionInfo } from "./vault.ts";

export interface S3Options extends BucketTerms {
  readonly bucket: string;
  /** Without leading or trailing slash. May be empty. */
  readonly prefix: string;
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly forcePathStyle?: boolean | undefined;
  /** How many requests may run at once: the size of the connection pool. */
  readonly concurrency: number;
  /** How long a connection may be silent, in ms. */
  readonly idleTimeout?: number;
  /** Of requests where starting over would lose work: a listing's next page, the lock of a completed upload. */
  readonly retry?: RetryPolicy;
}

const PART = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;

/** A bucket with versioning and Object Lock, on AWS or any server with the same protocol. */
export class S3Vault implements Vault {
  readonly url: string;
  readonly #client: S3Client;
  readonly #puts: Puts;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #retry: RetryPolicy;
  /** The store does not support GetObjectRetention. */
  #asksHead = false;

  constructor(options: S3Options) {
    this.url = `s3://${options.bucket}${options.prefix && `/${options.prefix}`}`;
    this.#bucket = options.bucket;
    this.#prefix = options.prefix && `${options.prefix}/`;
    this.#retry = options.retry ?? defaultRetry;
    const headers = new BucketHeaders(options);
    this.#client = s3Client({ ...options, maxSockets: options.concurrency * PARTS_AT_ONCE }, headers);
    this.#puts = new Puts(this.#client, headers);
  }

  async put(key: string, body: Body, options: PutOptions = {}): Promise<Stored> {
    return typeof body === "function"
      ? this.#putParts(key, body, options)
      : this.#putWhole(key, piecesOf(body), options);
  }

  async #putWhole(key: string, pieces: readonly Uint8Array[], options: PutOptions): Promise<Stored> {
    const hash = createHash("sha256");
    let size = 0;
    for (const piece of pieces) {
      hash.update(piece);
      size += piece.length;
    }
    const digest = hash.digest();
    const sha256 = digest.toString("hex");
    options.onSent?.({ size, sha256 });
    try {
      const output = await this.#puts.send(
        {
          ...this.#object(key),
          ChecksumAlgorithm: "SHA256",
          ChecksumSHA256: digest.toString("base64"),
          ContentType: "application/octet-stream",
          Metadata: { sha256 },
          ...lockHeaders(options.lock),
          ...conditionHeaders(options),
        },
        { pieces, size },
      );
      return this.#stored(key, output, { size, sha256 });
    } catch (error) {
      throw putError(error, `PUT ${key}`, options);
    }
  }

  /** Multipart upload. Hashes the bytes as they pass. If the producer throws, no object is created. */
  async #putParts(key: string, body: BodyProducer, options: PutOptions): Promise<Stored> {
    const intake = new MeasuredBody(body, options.onSent);
    const source = Readable.from(intake, { objectMode: false, highWaterMark: 256 * 1024 });
    const upload = new Upload({
      client: this.#client,
      partSize: PART,
      queueSize: PARTS_AT_ONCE,
      params: {
        ...this.#object(key),
        Body: source,
        ContentType: "application/octet-stream",
        ChecksumAlgorithm: "SHA256",
        ...lockHeaders(options.lock),
        ...conditionHeaders(options),
      },
    });
    try {
      const output = (await upload.done()) as { VersionId?: string; ETag?: string };
      // Ceph RGW 16 completes a multipart upload without returning version or etag. Use the newest version.
      const { versionId: VersionId, etag: ETag } =
        output.VersionId && output.ETag ? { versionId: output.VersionId, etag: output.ETag } : await this.head(key);
      const stored = this.#stored(key, { VersionId, ETag }, intake.sent);
      if (options.lock) await this.#ensureLock(key, stored.versionId, options.lock);
      return stored;
    } catch (error) {
      // The SDK then aborts the upload. If that fails too, still report the first error.
      if (intake.failure) throw intake.failure.error;
      throw putError(error, `multipart PUT ${key}`, options);
    } finally {
      source.destroy();
    }
  }

  /**
   * Some servers complete a multipart upload and silently drop its lock (Ceph RGW 16). So this reads the lock back and
   * sets it if it is missing. Some refuse a retention in the first second after the upload: this waits. A failure here
   * would mean producing and storing the whole body again, so these small requests are retried.
   */
  async #ensureLock(key: string, versionId: string, lock: Lock): Promise<void> {
    const there = () => retrying(() => this.lockOf(key, versionId), this.#retry);
    if (covers(await there(), lock)) return;
    for (let refusals = 0; ; refusals++) {
      try {
        await retrying(() => this.lock(key, versionId, lock), this.#retry);
        break;
      } catch (error) {
        if (!hasCode(error, "vault-locked") || refusals === 2) throw error;
        await delay(this.#retry.minDelay * 4 ** refusals);
      }
    }
    if (!covers(await there(), lock)) {
      throw new HoldfastError("vault-unfit", `${key}: the store accepted the object but did not lock it`, {
        hint: "Check that the bucket has Object Lock enabled and that s3:PutObjectRetention is granted.",
      });
    }
  }

  /** Uses GetObjectRetention or, if the store does not support it, HEAD, which returns the same. */
  async lockOf(key: string, versionId: string): Promise<Lock | null> {
    if (this.#asksHead) return (await this.head(key, versionId)).lock;
    try {
      const output = await this.#client.send(
        new GetObjectRetentionCommand({ ...this.#object(key), VersionId: versionId }),
      );
      return lockFrom(output.Retention?.Mode, output.Retention?.RetainUntilDate);
    } catch (error) {
      if (error instanceof Error && NO_LOCK.has(error.name)) return null;
      if (isNotImplemented(error)) {
        this.#asksHead = true;
        return (await this.head(key, versionId)).lock;
      }
      throw s3Error(error, `GET retention of ${key}`);
    }
  }

  async stream(key: string, versionId?: string): Promise<AsyncIterable<Uint8Array>> {
    const { body, info } = await this.#get(key, versionId);
    return wholeBody(body, key, info.size);
  }

  async read(key: string, limit: number, versionId?: string): Promise<{ bytes: Uint8Array; info: ObjectInfo }> {
    const { body, info } = await this.#get(key, versionId);
    if (info.size > limit) {
      body.destroy();
      throw new HoldfastError("malformed", `${key}: ${info.size} bytes is more than the limit of ${limit}`);
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of wholeBody(body, key, info.size)) chunks.push(chunk);
    return { bytes: Buffer.concat(chunks), info };
  }

  async #get(key: string, versionId?: string): Promise<{ body: Readable; info: ObjectInfo }> {
    try {
      const output = await this.#client.send(
        new GetObjectCommand({ ...this.#object(key), ...(versionId ? { VersionId: versionId } : {}) }),
      );
      if (output.ContentLength === undefined) {
        (output.Body as Readable).destroy();
        throw new HoldfastError("vault-unfit", `GET ${key}: the store does not report the object's length`);
      }
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

  list(prefix: string): AsyncGenerator<{ key: string; size: number }> {
    return listObjects(this.#listed, prefix);
  }

  versions(prefix: string): AsyncGenerator<VersionInfo> {
    return listVersions(this.#listed, prefix);
  }

  async lock(key: string, versionId: string, lock: Lock, harden = false): Promise<void> {
    try {
      await this.#client.send(
        new PutObjectRetentionCommand({
          ...this.#object(key),
          VersionId: versionId,
          Retention: { Mode: modeHeader(lock), RetainUntilDate: date(lock.until) },
          ChecksumAlgorithm: "SHA256",
          // The bypass never shortens a lock: it is sent only with a longer compliance lock.
          ...(harden ? { BypassGovernanceRetention: true } : {}),
        }),
      );
    } catch (error) {
      throw lockedError(error, `lock ${key}`);
    }
  }

  async hold(key: string, versionId: string, held: boolean): Promise<void> {
    try {
      await this.#client.send(
        new PutObjectLegalHoldCommand({
          ...this.#object(key),
          VersionId: versionId,
          LegalHold: { Status: held ? "ON" : "OFF" },
          ChecksumAlgorithm: "SHA256",
        }),
      );
    } catch (error) {
      throw s3Error(error, `legal hold of ${key}`);
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
    await inspectBucket(this.#client, this.#bucket);
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  get #listed(): Bucket {
    return { client: this.#client, name: this.#bucket, prefix: this.#prefix, retry: this.#retry };
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  #stored(key: string, output: { VersionId?: string | undefined; ETag?: string | undefined }, sent: Sent): Stored {
    // "null" is the version id of an object written while versioning was off or suspended.
    if (!output.VersionId || output.VersionId === "null" || !output.ETag) {
      throw new HoldfastError("vault-unfit", `PUT ${key}: the store returned no version id`, {
        hint: `Enable versioning on bucket ${this.#bucket}: without it an object can be overwritten.`,
      });
    }
    return { key, versionId: output.VersionId, etag: output.ETag, ...sent };
  }
}

function conditionHeaders({ ifAbsent, ifMatch }: PutOptions) {
  return { ...(ifAbsent ? { IfNoneMatch: "*" } : {}), ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }) };
}
