import assert from "node:assert/strict";
import { test } from "node:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { BucketStore } from "../../../src/source/folder/bucket.ts";
import { FolderSource } from "../../../src/source/folder/folder.ts";
import { cephEndpoint, lockedBucket, s3Client, withoutCeph } from "../../servers/s3.ts";
import { configOf, listOf, UPDATED } from "./place.ts";

// The suite for all sources reads drops in a bucket: test/source/conformance/folder.ts.
const own = { kind: "s3", prefix: "kyc", endpoint: cephEndpoint, region: undefined } as const;
const more = { forcePathStyle: true, expectedOwner: undefined };
const ready = { kind: "quiet", time: Temporal.Duration.from("PT15M") } as const;

test("a drop in a bucket is taken once it is quiet, without what consoles leave", { skip: withoutCeph }, async () => {
  const Bucket = await lockedBucket();
  const client = s3Client();
  const line = `{"id":"a","updated":"${UPDATED}"}`;
  const objects = { "kyc/1/people.jsonl": `${line}\n`, "kyc/1/img/": "", "kyc/": "" };
  for (const [Key, Body] of Object.entries({ ...objects, "other/2/people.jsonl": line }))
    await client.send(new PutObjectCommand({ Bucket, Key, Body }));
  client.destroy();
  const config = { ...configOf("/", { beside: "img/{id}", ready }), url: `s3://${Bucket}/kyc` };
  let now = Temporal.Now.instant();
  const source = new FolderSource(config, new BucketStore({ ...own, ...more, bucket: Bucket }), { now: () => now });
  try {
    assert.equal((await listOf(source)).size, 0);
    now = now.add({ hours: 1 });
    assert.deepEqual([...(await listOf(source)).keys()], ["a"]);
    await assert.rejects(source.dossier("b", { full: true }), { code: "source-missing" });
  } finally {
    await source.close();
  }
});

test("a bucket that is not there is unavailable, and no one is missing", { skip: withoutCeph }, async () => {
  const store = new BucketStore({ ...own, ...more, bucket: "t-nothing-here" });
  const source = new FolderSource(configOf("/"), store, { now: () => Temporal.Now.instant() });
  try {
    await assert.rejects(source.project(), { code: "source-unavailable" });
    await assert.rejects(source.dossier("a", { full: true }), { code: "source-unavailable" });
  } finally {
    await source.close();
  }
});
