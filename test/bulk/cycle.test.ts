import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { Entry } from "../../src/audit/entry.ts";
import type { Workplace } from "../export/workplace.ts";
import { lockedBucket, s3Client, withoutCeph } from "../servers/s3.ts";
import {
  type CreateJob,
  indexIn,
  type Line,
  linesOf,
  reportOf,
  runCommand,
  setRetention,
  type Task,
  writeReport,
} from "./batch-operations.ts";
import { FAST, makeScene, retainedUntil, versionsIn } from "./scene.ts";

interface Confirmed {
  readonly [name: string]: unknown;
}

async function ask(place: Workplace, code: number, ...args: string[]): Promise<Confirmed> {
  const ended = await place.here("retention", ["extend", ...args, "--json"]);
  assert.equal(ended.code, code, ended.stderr + ended.stdout);
  return ended.json as Confirmed;
}

/** Writes manifests; there is one. */
async function manifest(place: Workplace, name: string): Promise<{ folder: string; lines: Line[]; job: CreateJob }> {
  const folder = place.path(name);
  await ask(place, 0, "--manifest", folder);
  const { manifests } = await indexIn(folder);
  assert.equal(manifests.length, 1);
  await place.configure({ vault: FAST });
  return { folder, lines: await linesOf(folder, manifests[0]!), job: await runCommand(folder, manifests[0]!) };
}

const extended = (entries: readonly Extract<Entry, { type: "lock.extended" }>[]): string[] =>
  entries.flatMap(({ objects }) => objects.map(({ key, versionId }) => `${key} ${versionId}`)).sort();

describe("extension in bulk on Ceph RGW", { skip: withoutCeph }, () => {
  test("the whole way: manifest, job, report, log; a second reading changes nothing", async () => {
    await using scene = await makeScene();
    const { place } = scene;
    const all = await versionsIn(place);
    const begun = Date.now();
    const { folder, lines, job } = await manifest(place, "bulk");
    const [entry] = (await indexIn(folder)).manifests;
    const { host, pathname } = new URL((await place.client()).vault.url);
    const prefix = `${pathname.slice(1)}/`;
    assert.ok(lines.every((line) => line.length === 3 && line[0] === host));
    assert.deepEqual(lines.map(([, key, id]) => `${decodeURIComponent(key).slice(prefix.length)} ${id}`).sort(), all);
    const bytes = await readFile(join(folder, entry!.file));
    assert.equal(entry!.sha256, createHash("sha256").update(bytes).digest("hex"));
    assert.equal(entry!.objects, all.length);
    assert.deepEqual((await readdir(folder)).sort(), [entry!.file, "index.json"].sort());
    assert.equal((await stat(folder)).mode & 0o777, 0o700);

    // What the shell makes of the command.
    const { RetainUntilDate, Mode } = job.operation.S3PutObjectRetention.Retention;
    assert.deepEqual([RetainUntilDate, Mode], [entry!.lockedUntil, "GOVERNANCE"]);
    const until = Date.parse(RetainUntilDate) - begun;
    assert.ok(until >= 7_200_000 && until < 7_300_000, `${until}`);
    assert.deepEqual(job.manifest.Spec, {
      Format: "S3BatchOperations_CSV_20180820",
      Fields: ["Bucket", "Key", "VersionId"],
    });
    assert.match(
      job.manifest.Location.ObjectArn,
      /^arn:aws:s3:::acme-jobs\/holdfast\/acme-bank\/[0-9TZ]+\/governance-until-.*\.csv$/,
    );
    assert.equal(job.manifest.Location.ETag, "0123abcd");
    assert.equal(job.report.ReportScope, "AllTasks");
    const token = job.args[job.args.indexOf("--client-request-token") + 1]!;
    assert.match(token, /^[0-9a-f]{64}$/);
    assert.equal((await runCommand(folder, entry!)).args.includes(token), true, "run again, it makes no second job");

    const tasks = lines.map((line): Task => ({ line }));
    await setRetention(tasks, job);
    const report = await writeReport(place.path("reports"), tasks);
    const confirmed = await ask(place, 0, "--manifest", folder, "--completed", report);
    assert.deepEqual(
      [confirmed.objects, confirmed.subjects, confirmed.looked, confirmed.wrong, confirmed.failed],
      [all.length, 4, all.length, 0, 0],
    );
    const entries = await place.entries("lock.extended");
    assert.deepEqual(extended(entries), all);
    assert.equal(entries.length, 4, "one entry a person");
    for (const { lockedUntil, objects } of entries)
      for (const { key, versionId } of objects)
        assert.equal(await retainedUntil(place, key, versionId), lockedUntil, key);
    assert.equal((await place.expect<{ problems: number }>(0, "verify"))[0]!.problems, 0);

    const again = await ask(place, 0, "--manifest", join(folder), "--completed", join(report, "manifest.json"));
    assert.deepEqual([again.objects, again.done, again.looked], [0, all.length, 0]);
    assert.equal((await place.entries("lock.extended")).length, 4);
    const [night] = await place.expect<{ objects: number }>(0, "retention", "extend");
    assert.equal(night!.objects, 0);
    // A catalog from the log knows the same.
    await place.expect(0, "rebuild");
    assert.equal((await place.expect<{ objects: number }>(0, "retention", "extend"))[0]!.objects, 0);
  });

  test("a report is read from the bucket that S3 wrote it to", async () => {
    await using scene = await makeScene(1);
    const { place } = scene;
    const { folder, lines, job } = await manifest(place, "bulk");
    const tasks = lines.map((line): Task => ({ line }));
    await setRetention(tasks, job);
    const Bucket = await lockedBucket();
    const client = s3Client();
    const { job: at, files } = reportOf(tasks);
    for (const [Key, Body] of files) await client.send(new PutObjectCommand({ Bucket, Key, Body }));
    client.destroy();
    const confirmed = await ask(place, 0, "--manifest", folder, "--completed", `s3://${Bucket}/${at}`);
    assert.equal(confirmed.objects, lines.length);
  });

  test("failed tasks are told by code, tasks without a row by number; both stay due, and the next run extends them", async () => {
    await using scene = await makeScene();
    const { place } = scene;
    const { folder, lines, job } = await manifest(place, "bulk");
    const tasks = lines.map((line, at): Task => {
      return at === 0
        ? { line, failed: [403, "AccessDenied"] }
        : at < 3
          ? { line, failed: [404, "NoSuchVersion"] }
          : { line };
    });
    await setRetention(tasks.slice(0, -1), job);
    const report = await writeReport(place.path("reports"), tasks.slice(0, -1));
    const ended = await place.here("retention", ["extend", "--manifest", folder, "--completed", report]);
    assert.equal(ended.code, 3, ended.stderr);
    assert.match(ended.stderr, new RegExp(`logged the locks of ${lines.length - 4} objects`));
    assert.match(ended.stderr, /3 failed: (1 AccessDenied, 2 NoSuchVersion|2 NoSuchVersion, 1 AccessDenied)/);
    assert.match(ended.stderr, /1 are in no report/);
    assert.equal(extended(await place.entries("lock.extended")).length, lines.length - 4);
    const [night] = await place.expect<{ objects: number }>(0, "retention", "extend");
    assert.equal(night!.objects, 4);
    assert.deepEqual(extended(await place.entries("lock.extended")), await versionsIn(place));
    assert.equal((await place.expect<{ problems: number }>(0, "verify"))[0]!.problems, 0);
  });

  test("what a report claims and the store does not have is not logged: each object is looked at, and it stays due", async () => {
    await using scene = await makeScene();
    const { place } = scene;
    const { folder, lines, job } = await manifest(place, "bulk");
    const tasks = lines.map((line): Task => ({ line }));
    const [victim, ...others] = tasks;
    await setRetention(others, job);
    const report = await writeReport(place.path("reports"), tasks);
    const confirmed = await ask(place, 3, "--manifest", folder, "--completed", report);
    assert.deepEqual([confirmed.objects, confirmed.wrong, confirmed.looked], [others.length, 1, 2 * tasks.length]);
    const logged = extended(await place.entries("lock.extended"));
    assert.equal(logged.length, others.length);
    assert.ok(!logged.some((each) => each.endsWith(victim!.line[2])));
    assert.equal((await place.expect<{ objects: number }>(0, "retention", "extend"))[0]!.objects, 1);
    assert.equal((await place.expect<{ problems: number }>(0, "verify", "--all-locks"))[0]!.problems, 0);
  });

  test("two reports of one manifest: an object counts that one of them has set", async () => {
    await using scene = await makeScene(2);
    const { place } = scene;
    const { folder, lines, job } = await manifest(place, "bulk");
    const tasks = lines.map((line): Task => ({ line }));
    await setRetention(tasks, job);
    const first = tasks.map((task, at): Task => (at === 0 ? { ...task, failed: [500, "InternalError"] } : task));
    const reports = [
      await writeReport(place.path("first"), first),
      await writeReport(place.path("second"), [tasks[0]!]),
    ];
    const args = reports.flatMap((report) => ["--completed", report]);
    assert.equal((await ask(place, 0, "--manifest", folder, ...args)).objects, lines.length);
  });
});
