import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { startSandbox } from "../sandbox/server.ts";
import { cephEndpoint, s3Client, withoutCeph } from "../servers/s3.ts";
import { CLIENT, makeWorkplace, Workplace } from "./workplace.ts";

interface Verified {
  readonly problems: number;
  readonly read: number;
  readonly checkpoint: { readonly size: number; readonly root: string };
}

/** The drill of docs/OPERATING.md, step by step: the machine is lost with all that was on it; the bucket is there. */
test("disaster recovery: the machine and its state are lost; keys are restored, and the vault is proven and goes on", {
  skip: withoutCeph,
}, async (t) => {
  await using sandbox = await startSandbox({ identities: 6, plainImages: true });
  const safe = await mkdtemp(join(tmpdir(), "holdfast-safe-"));
  t.after(() => rm(safe, { recursive: true, force: true }));
  const lost = await makeWorkplace(sandbox, { vault: "ceph" });
  await lost.export();

  // What is kept apart: the config, both keys and the last checkpoint; the officer's key has never been on the machine.
  const apart = ["keys/lookup", "keys/log", "keys/provider", "keys/officer.txt", `state/${CLIENT}/checkpoint`];
  for (const name of apart) await copyFile(lost.path(name), join(safe, name.replaceAll("/", "_")));
  // And a night after the last backup.
  sandbox.change(2);
  assert.equal((await lost.export()).changed, 2);
  const [before] = await lost.expect<Verified>(0, "verify");
  const section = lost.config.clients[0]!;
  await lost[Symbol.asyncDispose]();
  await assert.rejects(stat(lost.folder), { code: "ENOENT" });

  const folder = await mkdtemp(join(tmpdir(), "holdfast-workplace-"));
  await using place = new Workplace(
    folder,
    { ...lost.officer, file: join(folder, "keys/officer.txt") },
    lost.escrow,
    section,
  );
  await mkdir(place.path("keys"));
  await mkdir(place.path("state", CLIENT), { recursive: true });
  const restore = (name: string) => copyFile(join(safe, name.replaceAll("/", "_")), place.path(name));
  await place.configure();

  await t.test("nothing is written as long as a key is missing", async () => {
    await restore("keys/provider");
    await restore("keys/log");
    const refused = await place.here("export");
    assert.deepEqual([refused.code, /there is no file .*keys\/lookup/.test(refused.stderr)], [2, true], refused.stderr);
    await restore("keys/lookup");
  });

  await t.test(
    "the checkpoint that was kept apart is part of the vault's history; a damaged one is refused",
    async () => {
      await restore(`state/${CLIENT}/checkpoint`);
      const [after] = await place.expect<Verified>(0, "verify", "--read-data", "100");
      assert.deepEqual(after!.checkpoint, before!.checkpoint);
      assert.equal(after!.problems, 0);
      assert.ok(after!.read > 0);
      const kept = place.path("state", CLIENT, "checkpoint");
      await writeFile(kept, "another\n1\nAAAA\n");
      assert.notEqual((await place.here("verify")).code, 0);
      await restore(`state/${CLIENT}/checkpoint`);
    },
  );

  await t.test("the catalog comes out of the log, and the next night moves nothing", async () => {
    assert.equal((await place.here("rebuild")).code, 0);
    const next = await place.export();
    assert.deepEqual([next.unchanged, next.new, next.changed, next.failed, next.files], [6, 0, 0, 0, 0]);
  });

  await t.test("a record is opened with S3 and the age command alone", async () => {
    await restore("keys/officer.txt");
    const id = sandbox.ids()[0]!;
    const entry = (await place.stored()).get(await place.subject(id))!.at(-1)!;
    const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.+)$/.exec((await place.client()).vault.url)!;
    const s3 = s3Client(cephEndpoint);
    const sealed = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: `${prefix}/${entry.object.key}` }));
    await writeFile(place.path("record.age"), await sealed.Body!.transformToByteArray());
    s3.destroy();
    const opened = await promisify(execFile)("age", ["-d", "-i", place.officer.file, place.path("record.age")]);
    assert.equal(JSON.parse(opened.stdout).identity.id, id);
  });
});
