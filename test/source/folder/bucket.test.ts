import assert from "node:assert/strict";
import { test } from "node:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { BucketStore } from "../../../src/source/folder/bucket.ts";
import { FolderSource } from "../../../src/source/folder/folder.ts";
import { cephEndpoint, lockedBucket, s3Client, withoutCeph } from "../../servers/s3.ts";
import { bytesOf, configOf, listOf, UPDATED } from "./place.ts";

test("drops in a bucket: listed, to the byte, and whole once they are quiet", { skip: withoutCeph }, async () => {
  const Bucket = await lockedBucket();
  const client = s3Client();
  const line = `{"id":"a","updated":"${UPDATED}"}`;
  const objects = { "kyc/1/people.jsonl": `${line}\n`, "kyc/1/img/a/front.jpg": "front", "kyc/1/img/": "" };
  for (const [Key, Body] of Object.entries({ ...objects, "other/2/people.jsonl": line }))
    await client.send(new PutObjectCommand({ Bucket, Key, Body }));
  client.destroy();
  const own = { kind: "s3", bucket: Bucket, prefix: "kyc", endpoint: cephEndpoint, region: undefined } as const;
  const place = { ...own, forcePathStyle: true, expectedOwner: undefined };
  const ready = { kind: "quiet", time: Temporal.Duration.from("PT15M") } as const;
  const config = { ...configOf("/", { beside: "img/{id}", ready }), url: `s3://${Bucket}/kyc`, place };
  let now = Temporal.Now.instant();
  const source = new FolderSource(config, new BucketStore(place), { now: () => now });
  try {
    assert.equal((await listOf(source)).size, 0);
    now = now.add({ hours: 1 });
    assert.deepEqual([...(await listOf(source)).keys()], ["a"]);
    const { answers } = await source.dossier("a", { full: true });
    assert.equal(answers[0]!.text, line);
    assert.equal(String(await bytesOf(source, "a", "img/a/front.jpg")), "front");
    await assert.rejects(source.dossier("b", { full: true }), { code: "source-missing" });
  } finally {
    await source.close();
  }
});
