/** An S3 Inventory, as AWS writes it: no server of the tests makes one. */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { systemClock } from "../../src/core/clock.ts";
import type { Lock } from "../../src/vault/vault.ts";

const SCHEMA =
  "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ObjectLockRetainUntilDate, ObjectLockMode, ObjectLockLegalHoldStatus";

/** A version in a bucket; its key as the bucket has it. */
export interface Listed {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  readonly lock: Lock | null;
}

export interface Written {
  readonly rows: readonly string[][];
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly checksum?: string;
  /** Changes the file after its digest was taken. */
  readonly damage?: (bytes: Buffer) => Buffer;
}

/** Its files by their keys, and the folder of its manifest. */
export interface Inventory {
  readonly folder: string;
  readonly of: ReadonlyMap<string, Buffer>;
}

export function rowOf({ bucket, key, versionId, size, lock }: Listed): string[] {
  return [
    ...[bucket, encodeURIComponent(key), versionId, "true", "false", `${size}`, "2026-11-01T00:00:00.000Z"],
    ...[lock?.until.toString().replace("Z", ".000Z") ?? "", lock?.mode.toUpperCase() ?? "", "Off"],
  ];
}

const md5 = (bytes: Uint8Array | string): string => createHash("md5").update(bytes).digest("hex");

/** An inventory that was made 20 hours ago. */
export function inventoryOf(bucket: string, made: Written): Inventory {
  const csv = made.rows.map((row) => row.map((each) => `"${each}"`).join(",")).join("\n");
  const data = gzipSync(`${csv}\n`);
  const key = `inventory/${bucket}/daily/data/8a1b.csv.gz`;
  const manifest = JSON.stringify({
    ...{ sourceBucket: bucket, destinationBucket: "arn:aws:s3:::inventories", version: "2016-11-30" },
    ...{ creationTimestamp: `${systemClock().subtract({ hours: 20 }).epochMilliseconds}`, fileFormat: "CSV" },
    ...{ fileSchema: SCHEMA, files: [{ key, size: data.length, MD5checksum: md5(data) }] },
    ...made.manifest,
  });
  const folder = `inventory/${bucket}/daily/2026-11-28T01-00Z`;
  const of = new Map([
    [`${folder}/manifest.json`, Buffer.from(manifest)],
    [`${folder}/manifest.checksum`, Buffer.from(`${made.checksum ?? md5(manifest)}\n`)],
    [key, made.damage ? made.damage(data) : data],
  ]);
  return { folder, of };
}

/** Lays its files in a folder, as a copy of its bucket; gives that of the manifest. */
export async function writeInventory({ folder, of }: Inventory, root: string): Promise<string> {
  for (const [key, bytes] of of) {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, key), bytes);
  }
  return join(root, folder);
}
