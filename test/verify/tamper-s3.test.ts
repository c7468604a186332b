import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { RecordStored } from "../../src/audit/entry.ts";
import { CHECKPOINT, VAULT_JSON } from "../../src/vault/layout.ts";
import { CLIENT, type WorkplaceOptions } from "../export/workplace.ts";
import { s3Client } from "../servers/s3.ts";
import { inBuckets } from "./buckets.ts";
import { makeScene, type Scene } from "./scene.ts";

/** In a bucket versions never change; with the rights, someone can hide them or add newer ones. */
function tampering(
  name: string,
  open: () => Promise<WorkplaceOptions>,
  skip: string | false,
  close?: () => Promise<void>,
) {
  describe(`a vault in a bucket, ${name}`, { skip }, () => {
    let scene: Scene;
    let s3: S3Client;
    let bucket: string;
    let stored: RecordStored;

    before(async () => {
      scene = await makeScene(await open(), 2);
      if (scene.client.vault.kind !== "s3") return assert.fail("not in a bucket");
      bucket = scene.client.vault.bucket;
      s3 = s3Client(scene.client.vault.endpoint);
      stored = (await scene.place.entries("record.stored")).find(({ files }) => files.length > 0)!;
    });
    after(async () => {
      s3?.destroy();
      await scene?.[Symbol.asyncDispose]();
      await close?.();
    });

    const at = (key: string) => ({ Bucket: bucket, Key: `${CLIENT}/${key}` });

    /** Runs verify with something in front of a key, then removes that. */
    async function inFront(key: string, put: () => Promise<string | undefined>): Promise<void> {
      const VersionId = await put();
      assert.ok(VersionId);
      const { exit, named } = await scene.verify();
      await s3.send(new DeleteObjectCommand({ ...at(key), VersionId }));
      assert.equal(exit, 4);
      assert.ok(
        named.some((found) => found.includes(key)),
        `${key}: ${named.join(", ")}`,
      );
    }

    const keys: Record<string, () => string> = {
      "a record": () => stored.object.key,
      "a file": () => stored.files[0]!.key,
      "the checkpoint": () => CHECKPOINT,
      "vault.json": () => VAULT_JSON,
      "a tile": () => "audit/tile/0/000",
      "an upper tile": () => "audit/tile/1/000.p/2",
      "a bundle": () => "audit/tile/entries/001",
    };
    for (const [what, key] of Object.entries(keys)) {
      test(`a delete marker hides ${what}`, () =>
        inFront(key(), async () => (await s3.send(new DeleteObjectCommand(at(key())))).VersionId));
      test(`a newer version replaces ${what}`, () =>
        inFront(key(), async () => {
          const put = new PutObjectCommand({ ...at(key()), Body: "something else", ChecksumAlgorithm: "SHA256" });
          return (await s3.send(put)).VersionId;
        }));
    }

    test("afterwards there is no problem; what no entry mentions is reported, but is no problem", async () => {
      const key = "records/ff/ffffffffffffffffffffffffffffffff/20260101T000000Z-000000000000.age";
      await scene.vault.put(key, Buffer.from("left by a crash"));
      const { exit, named, orphans } = await scene.verify();
      assert.deepEqual([exit, named, orphans], [0, [], [key]]);
    });
  });
}

inBuckets(tampering);
