import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { PutObjectCommand, PutObjectRetentionCommand, type S3Client } from "@aws-sdk/client-s3";
import { systemClock } from "../../src/core/clock.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { type Inventory, inventoryOf, rowOf, type Written, writeInventory } from "../servers/inventory.ts";
import { lockedBucket, s3Client } from "../servers/s3.ts";
import { type StrictS3, startStrictS3 } from "../servers/strict-s3.ts";

interface Report {
  readonly looked: number;
  readonly inventoried: number;
  readonly inventory: string;
  readonly found: readonly { readonly key: string }[];
}

let server: StrictS3;
let place: Workplace;
let vault: Vault;
let s3: S3Client;
let bucket: string;
let objects: number;
before(async () => {
  server = await startStrictS3();
  bucket = await lockedBucket(server.endpoint);
  await using sandbox = await startSandbox({ identities: 6, plainImages: true });
  const url = `s3://${bucket}/${CLIENT}`;
  place = await makeWorkplace(sandbox, { client: { vault: { url, endpoint: server.endpoint, forcePathStyle: true } } });
  await place.export();
  vault = await place.vault();
  s3 = s3Client(server.endpoint);
  const stored = await place.entries("record.stored");
  objects = stored.length + stored.flatMap(({ files }) => files).length;
});
after(async () => {
  s3.destroy();
  await vault.close();
  await place[Symbol.asyncDispose]();
  await server.close();
});

/** A row for each version in the vault, and one of another. */
async function rows(): Promise<string[][]> {
  const found = [rowOf({ bucket, key: `${CLIENT}-2/records/x`, versionId: "v", size: 1, lock: null })];
  for (const prefix of ["records/", "files/"]) {
    for await (const { key, versionId } of vault.versions(prefix)) {
      const { size, lock } = await vault.head(key, versionId);
      found.push(rowOf({ bucket, key: `${CLIENT}/${key}`, versionId, size, lock }));
    }
  }
  return found;
}

/** What S3 writes of the vault's bucket. */
async function files(made: Partial<Written> = {}): Promise<Inventory> {
  return inventoryOf(bucket, { ...made, rows: made.rows ?? (await rows()) });
}

async function local(made: Partial<Written> = {}): Promise<string> {
  return writeInventory(await files(made), place.path(`inventories-${Math.random()}`));
}

async function verify(code: number, ...args: string[]): Promise<Report> {
  return (await place.expect<Report>(code, "verify", ...args))[0]!;
}

describe("verify --inventory", () => {
  test("takes locks from an inventory on disk or in S3, asks about nothing else, and says of which moment it is", async () => {
    const { folder, of } = await files();
    const Bucket = await lockedBucket(server.endpoint);
    for (const [Key, Body] of of)
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, ChecksumAlgorithm: "SHA256" }));
    const path = await local();
    for (const given of [path, join(path, "manifest.json"), `s3://${Bucket}/${folder}`]) {
      const { looked, inventoried, inventory, found } = await verify(0, "--inventory", given);
      assert.deepEqual([looked, inventoried, found], [0, objects, []], given);
      assert.equal(Math.round(Temporal.Instant.from(inventory).until(systemClock()).total("hours")), 20);
    }
    const { stderr } = await place.here("verify", ["--inventory", path], { isTerminal: true });
    assert.match(
      stderr,
      new RegExp(
        `looked at the locks of 0 of ${objects} objects in this run; an inventory says of ${objects} how they were at 20`,
      ),
    );
  });

  test("asks about what the inventory does not confirm: left out, held, shorter, longer, without a lock, another size", async () => {
    const all = await rows();
    const [, left, held, shorter, longer, open, size] = all;
    const changed = all.flatMap((row) => {
      const [until, mode, hold] = [7, 8, 9];
      if (row === left) return [];
      if (row === held) return [row.with(hold, "On")];
      if (row === shorter) return [row.with(until, "2026-12-01T00:00:00.000Z")];
      if (row === longer) return [row.with(until, "2099-12-01T00:00:00.000Z")];
      if (row === open) return [row.with(until, "").with(mode, "")];
      return [row === size ? row.with(5, "1") : row];
    });
    const { looked, inventoried, found } = await verify(0, "--inventory", await local({ rows: changed }));
    assert.deepEqual([looked, inventoried, found], [6, objects - 6, []]);
  });

  test("a lock that was shortened before the inventory was made is a problem; after it, the run without one finds it", async () => {
    const path = await local();
    const { object } = (await place.entries("record.stored"))[0]!;
    const shorten = (hours: number) =>
      s3.send(
        new PutObjectRetentionCommand({
          ...{ Bucket: bucket, Key: `${CLIENT}/${object.key}`, VersionId: object.versionId },
          Retention: { Mode: "GOVERNANCE", RetainUntilDate: new Date(systemClock().add({ hours }).epochMilliseconds) },
          ...{ BypassGovernanceRetention: true, ChecksumAlgorithm: "SHA256" },
        }),
      );
    const was = (await vault.head(object.key, object.versionId)).lock!;
    await shorten(1);
    assert.deepEqual((await verify(0, "--inventory", path)).found, []);
    const { found } = await verify(4, "--inventory", await local());
    assert.deepEqual(
      found.map(({ key }) => key),
      [object.key],
    );
    // Once faulty, it is looked at whatever the inventory says.
    assert.equal((await verify(4, "--inventory", path)).looked, 1);
    await vault.lock(object.key, object.versionId, was);
    assert.equal((await verify(0, "--inventory", path)).looked, 1);
    assert.equal((await verify(0, "--inventory", path)).looked, 0);
  });

  const refused: Readonly<Record<string, readonly [Partial<Written>, RegExp]>> = {
    "a manifest that was changed": [{ checksum: "0".repeat(32) }, /does not match manifest.checksum/],
    "a file that was changed": [
      { damage: (bytes) => gzipSync(`${gunzipSync(bytes)}`, { level: 1 }) },
      /does not match the manifest's MD5/,
    ],
    "a file that was cut": [{ damage: (bytes) => bytes.subarray(0, -20) }, /cannot be read/],
    Parquet: [
      { manifest: { fileFormat: "Parquet" } },
      /its format is Parquet, which Holdfast does not read\n.*format CSV/,
    ],
    "no lock columns": [
      { manifest: { fileSchema: "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size" } },
      /it lacks ObjectLockRetainUntilDate, ObjectLockMode, ObjectLockLegalHoldStatus/,
    ],
    "only current versions": [
      {
        manifest: {
          fileSchema: "Bucket, Key, Size, ObjectLockRetainUntilDate, ObjectLockMode, ObjectLockLegalHoldStatus",
        },
      },
      /it lacks VersionId, IsDeleteMarker/,
    ],
    "another bucket's": [{ manifest: { sourceBucket: "another" } }, /it is of bucket another, and the vault is in t-/],
    "a bucket's name without end": [{ manifest: { sourceBucket: "x".repeat(100_000) } }, /not one that S3 Inventory/],
    "a format without end": [{ manifest: { fileFormat: "x".repeat(100_000) } }, /not one that S3 Inventory writes/],
    "one of the future": [{ manifest: { creationTimestamp: "4102444800000" } }, /in the future/],
    "files outside of its folders": [
      { manifest: { files: [{ key: "../../etc/..", size: 1, MD5checksum: "0".repeat(32) }] } },
      /not one that S3 Inventory writes/,
    ],
    "rows of too few columns": [{ rows: [["a", "b"]] }, /cannot be read/],
    "rows of another bucket": [{ rows: [Array(10).fill("x")] }, /is of another bucket/],
    "a row without end": [{ rows: [Array(10).fill("x".repeat(100_000))] }, /cannot be read/],
  };
  for (const [what, [made, why]] of Object.entries(refused)) {
    test(`refuses ${what}, and says how to fix it`, async () => {
      const { code, stderr } = await place.here("verify", ["--inventory", await local(made)], { isTerminal: true });
      assert.equal(code, 2, stderr);
      assert.match(stderr, why);
      assert.match(stderr, /→ /);
    });
  }

  test("refuses a folder without one, and one together with --all-locks; afterwards nothing counts as faulty", async () => {
    assert.equal((await place.here("verify", ["--inventory", place.path("nothing")])).code, 2);
    assert.equal((await place.here("verify", ["--inventory", "x", "--all-locks"])).code, 2);
    const state = place.path("state", CLIENT, "locks-looked-at.json");
    assert.equal(JSON.parse(await readFile(state, "utf8")).faulty.length, 0);
    await rm(state);
  });
});
