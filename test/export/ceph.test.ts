import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";
import { HeadObjectCommand } from "@aws-sdk/client-s3";
import type { RecordStored } from "../../src/audit/entry.ts";
import type { SealedRecord } from "../../src/record/record.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { cephEndpoint, s3Client, withoutCeph } from "../servers/s3.ts";
import { CLIENT, identityAnswer, makeWorkplace, resourceAnswers, type Workplace } from "./workplace.ts";

/** The age command on an object of the vault: what the holder of a key does without Holdfast. */
async function ageOpen(place: Workplace, key: string, versionId: string): Promise<Buffer> {
  const { bytes } = await (await place.vault()).read(key, 1024 ** 3, versionId);
  const sealed = place.path("sealed.age");
  await writeFile(sealed, bytes);
  const options = { encoding: "buffer", maxBuffer: 64 * 1024 * 1024 } as const;
  return (await promisify(execFile)("age", ["-d", "-i", place.officer.file, sealed], options)).stdout;
}

/** Every object of the log is there as HEAD tells it: mode, and locked until the very second the log says. */
async function checkLocks(place: Workplace, entries: readonly RecordStored[]): Promise<{ multipart: number }> {
  const s3 = s3Client(cephEndpoint);
  const { url } = (await place.client()).vault;
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url)!;
  const objects = entries.flatMap(({ object, files, lockedUntil }) => [{ ...object, lockedUntil }, ...files]);
  let multipart = 0;
  const workers = Array.from({ length: 16 }, async () => {
    for (let object = objects.pop(); object; object = objects.pop()) {
      const head = await s3.send(
        new HeadObjectCommand({ Bucket: bucket, Key: `${prefix}/${object.key}`, VersionId: object.versionId }),
      );
      assert.equal(head.ObjectLockMode, "GOVERNANCE", object.key);
      assert.equal(head.ObjectLockRetainUntilDate?.toISOString().replace(".000Z", "Z"), object.lockedUntil);
      assert.equal(head.ContentLength, object.size);
      if (head.ETag?.includes("-")) multipart += 1;
    }
  });
  await Promise.all(workers);
  s3.destroy();
  return { multipart };
}

async function checkRecord(place: Workplace, sandbox: Sandbox, index: number, entry: RecordStored): Promise<void> {
  const record = JSON.parse(
    (await ageOpen(place, entry.object.key, entry.object.versionId)).toString(),
  ) as SealedRecord;
  const ask = async (path: string): Promise<string> => {
    const response = await fetch(sandbox.url + path, { headers: { "X-API-KEY": sandbox.apiKey } });
    return response.text();
  };
  const id = sandbox.ids()[index]!;
  assert.equal(identityAnswer(record), await ask(`/identities/${id}`));
  assert.deepEqual(resourceAnswers(record), [await ask(`/identity/${id}/resources`)]);
  const files = sandbox.resources(index).flatMap((resource) => resource.resource_files);
  assert.deepEqual(record.files.map((file) => file.id).sort(), files.map((file) => file.id).sort());
  for (const file of record.files) {
    const logged = entry.files.find(({ key }) => key === file.key)!;
    const sealed = await ageOpen(place, file.key, logged.versionId);
    const bytes = await sandbox.file(index, file.resource, file.id);
    assert.ok(sealed.equals(bytes), "the file's bytes");
    assert.deepEqual([file.size, file.sha256], [bytes.length, createHash("sha256").update(bytes).digest("hex")]);
  }
}

test("1,000 identities through a provider that fails at random: nothing is missing, all of it is locked", {
  skip: withoutCeph,
}, async () => {
  await using sandbox = await startSandbox({
    ...{ identities: 1000, pageSize: 100, files: false, fail: 3, retryAfter: 0 },
  });
  await using place = await makeWorkplace(sandbox, { vault: "ceph", client: { source: { concurrency: 16 } } });
  const summary = await place.export();
  assert.deepEqual([summary.new, summary.failed, summary.examined], [1000, 0, 1000]);
  for (const outcome of [429, 500, 503, "reset"] as const) assert.ok(sandbox.requests.of(undefined, outcome) > 0);
  const stored = await place.stored();
  for (const id of sandbox.ids()) assert.equal(stored.get(await place.subject(id))?.length, 1);
  await checkLocks(place, [...stored.values()].flat());
  sandbox.setFaults({ fail: 0 });
  const [entry] = stored.get(await place.subject(sandbox.ids()[500]!))!;
  await checkRecord(place, sandbox, 500, entry!);
  const [report] = await place.expect<{ read: number; problems: number }>(0, "verify", "--read-data", "100");
  assert.deepEqual([report!.read, report!.problems], [1000, 0]);
  const again = await place.export();
  assert.deepEqual([again.unchanged, again.new, again.changed], [1000, 0, 0]);
});

test("documents and long videos, under a rate limit: multipart uploads are locked as all else", {
  skip: withoutCeph,
}, async () => {
  await using sandbox = await startSandbox({
    ...{
      identities: 12,
      plainImages: true,
      videoBytes: 9 * 1024 * 1024,
      fail: 5,
      truncate: 10,
      rate: 60,
      retryAfter: 0,
    },
  });
  await using place = await makeWorkplace(sandbox, { vault: "ceph" });
  const summary = await place.export();
  assert.deepEqual([summary.new, summary.failed], [12, 0]);
  assert.ok(sandbox.requests.of(undefined, 429) > 0);
  sandbox.setFaults({ fail: 0, truncate: 0, rate: undefined });
  const stored = await place.stored();
  const entries = [...stored.values()].flat();
  const videos = entries.flatMap(({ files }) => files).filter(({ type }) => type === "face_video");
  const { multipart } = await checkLocks(place, entries);
  assert.ok(videos.length > 0);
  assert.equal(multipart, videos.length);

  const index = sandbox.ids().findIndex((_, i) => sandbox.resources(i).length > 1);
  const [entry] = stored.get(await place.subject(sandbox.ids()[index]!))!;
  await checkRecord(place, sandbox, index, entry!);

  const vault = await place.vault();
  for (const { key, versionId } of [entry!.object, ...entry!.files])
    await assert.rejects(vault.deleteVersion(key, versionId), { code: "vault-locked" });
  const [report] = await place.expect<{ read: number; problems: number }>(0, "verify", "--read-data", "100");
  assert.deepEqual([report!.read, report!.problems], [entries.length + summary.files, 0]);
  assert.equal((await place.client()).id, CLIENT);
});
