import {
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
} from "@aws-sdk/client-s3";
import { PROBE } from "../vault/layout.ts";
import type { BucketSettings } from "./bucket.ts";

export const BYTES = Buffer.from("A probe of holdfast doctor. It may be deleted.\n");
/** How long a probe is locked, in ms: long enough to test the lock. */
const LOCKED = 60_000;
/** An ETag that matches no object. */
export const NO_ETAG = `"${"0".repeat(32)}"`;

/** The one object that `doctor` writes, and the requests that test it. */
export class ProbeObject {
  readonly key: string;
  /** When the lock of every probe ends, in whole seconds by the store's clock. */
  readonly until: Date;
  readonly #bucket: BucketSettings;

  constructor(bucket: BucketSettings) {
    this.key = bucket.prefix + PROBE;
    this.until = new Date(Math.ceil((bucket.time + LOCKED) / 1000) * 1000);
    this.#bucket = bucket;
  }

  /** Always with an explicit lock: otherwise the bucket's default would apply, perhaps for years. */
  put(more: Partial<PutObjectCommandInput>) {
    return this.#bucket.ask("PUT the probe", (s3, at) =>
      s3.send(
        new PutObjectCommand({
          ...at,
          Key: this.key,
          Body: BYTES,
          ContentLength: BYTES.length,
          ContentType: "text/plain",
          ...more,
          ObjectLockMode: "GOVERNANCE",
          ObjectLockRetainUntilDate: this.until,
        }),
      ),
    );
  }

  retention(VersionId: string) {
    return this.#bucket.ask("GET retention of the probe", (s3, at) =>
      s3.send(new GetObjectRetentionCommand({ ...at, Key: this.key, VersionId })),
    );
  }

  /** The same, for a store without GetObjectRetention. */
  lockByHead(VersionId: string) {
    return this.#bucket.ask("HEAD the probe", async (s3, at) => {
      const head = await s3.send(new HeadObjectCommand({ ...at, Key: this.key, VersionId }));
      return { Retention: { Mode: head.ObjectLockMode, RetainUntilDate: head.ObjectLockRetainUntilDate } };
    });
  }

  /** Halves the lock, which requires the right to bypass governance. */
  shorten(VersionId: string) {
    const RetainUntilDate = new Date(this.until.getTime() - LOCKED / 2);
    return this.#bucket.ask("PUT a shorter lock", (s3, at) =>
      s3.send(
        new PutObjectRetentionCommand({
          ...at,
          Key: this.key,
          VersionId,
          BypassGovernanceRetention: true,
          ChecksumAlgorithm: "SHA256",
          Retention: { Mode: "GOVERNANCE", RetainUntilDate },
        }),
      ),
    );
  }

  /** The hold is off already; this only tests the right. */
  releaseHold(VersionId: string) {
    return this.#bucket.ask("PUT legal hold OFF", (s3, at) =>
      s3.send(
        new PutObjectLegalHoldCommand({
          ...at,
          Key: this.key,
          VersionId,
          LegalHold: { Status: "OFF" },
          ChecksumAlgorithm: "SHA256",
        }),
      ),
    );
  }

  /** With a condition that is false; a store that ignores it puts a delete marker on the probe. */
  hide() {
    return this.#bucket.ask("DELETE with If-Match", (s3, at) =>
      s3.send(new DeleteObjectCommand({ ...at, Key: this.key, IfMatch: NO_ETAG })),
    );
  }

  remove(VersionId: string, bypass = false) {
    return this.#bucket.ask("DELETE a probe", (s3, at) =>
      s3.send(
        new DeleteObjectCommand({
          ...at,
          Key: this.key,
          VersionId,
          ...(bypass ? { BypassGovernanceRetention: true } : {}),
        }),
      ),
    );
  }

  /** All versions there, including delete markers and probes of earlier runs, the newest last. */
  async versions(): Promise<string[]> {
    const { output } = await this.#bucket.ask("LIST probes", (s3, at) =>
      s3.send(new ListObjectVersionsCommand({ ...at, Prefix: this.key })),
    );
    const listed = [...(output?.DeleteMarkers ?? []), ...(output?.Versions ?? []).toReversed()];
    return listed.flatMap(({ Key, VersionId }) => (Key === this.key && VersionId ? [VersionId] : []));
  }
}
