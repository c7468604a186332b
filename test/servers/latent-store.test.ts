import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { server } from "../bench/process.ts";
import { lockedBucket, s3Client } from "./s3.ts";

const LATENCY = 20;
const LARGE = Buffer.alloc(300 * 1024, 7);

test("the benchmark's store answers late, checks what Object Lock demands, and keeps the size of what is large", async (t) => {
  await using store = await server("child/latent-store.ts", String(LATENCY));
  const client = s3Client(store.url);
  t.after(() => client.destroy());
  const Bucket = await lockedBucket(store.url);
  const at = { Bucket, Key: "a" };
  const lock = { ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: new Date(Date.now() + 86_400_000) } as const;
  const digest = (body: Buffer) => createHash("md5").update(body).digest("base64");
  const put = (body: Buffer, more: object) =>
    client.send(new PutObjectCommand({ ...at, Body: body, ...lock, ...more }));

  await assert.rejects(put(LARGE, {}), { name: "InvalidRequest" });
  await assert.rejects(put(LARGE, { ContentMD5: digest(Buffer.from("other")) }), { name: "BadDigest" });
  const begun = performance.now();
  const { VersionId } = await put(LARGE, { ContentMD5: digest(LARGE) });
  assert.ok(performance.now() - begun >= LATENCY);
  await assert.rejects(put(LARGE, { ContentMD5: digest(LARGE), IfNoneMatch: "*" }), { name: "PreconditionFailed" });
  await assert.rejects(client.send(new DeleteObjectCommand({ ...at, VersionId })), { name: "AccessDenied" });
  const head = await client.send(new HeadObjectCommand(at));
  assert.deepEqual([head.ContentLength, head.ObjectLockMode], [LARGE.length, "COMPLIANCE"]);
  await assert.rejects(client.send(new GetObjectCommand(at)), { name: "NotImplemented" });

  const small = Buffer.from("a small object");
  await put(small, { ContentMD5: digest(small), Key: "b" });
  const read = await client.send(new GetObjectCommand({ Bucket, Key: "b", Range: "bytes=2-6" }));
  assert.equal(await read.Body!.transformToString(), "small");
  const { Contents } = await client.send(new ListObjectsV2Command({ Bucket }));
  assert.deepEqual(
    Contents?.map(({ Key, Size }) => [Key, Size]),
    [
      ["a", LARGE.length],
      ["b", small.length],
    ],
  );
});
