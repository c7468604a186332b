import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { makeStrictPlace } from "../faults/place.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { makeWorkplace } from "./workplace.ts";

test("what was withheld is asked for again on request, once the provider grants it", async () => {
  await using sandbox = await startSandbox({ identities: 6, plainImages: true, withhold: 40 });
  await using place = await makeWorkplace(sandbox);
  const first = await place.export();
  assert.ok(first.withheld > 0);
  const affected = (await place.entries("record.stored")).filter(({ withheld }) => withheld > 0);
  sandbox.setFaults({ withhold: 0 });
  assert.equal((await place.export()).unchanged, 6);
  const granted = await place.export("--withheld");
  assert.deepEqual([granted.again, granted.files, granted.withheld], [affected.length, first.withheld, 0]);
  for (const entry of (await place.entries("record.stored")).slice(6)) {
    const record = await place.record(entry);
    assert.deepEqual(record.withheld, []);
    for (const file of record.files) {
      const logged = entry.files.find(({ key }) => key === file.key)!;
      assert.equal(file.storedWith, logged.storedWith);
      // What was kept is not fetched again, so its bytes are not said again either.
      if (file.storedWith !== undefined) assert.deepEqual([file.size, file.sha256], [null, null]);
      if (file.storedWith !== undefined) continue;
      const content = await place.unseal(file.key);
      assert.deepEqual([file.size, file.sha256], [content.length, createHash("sha256").update(content).digest("hex")]);
    }
  }
  assert.equal((await place.export("--withheld")).again, 0);
  await place.expect(0, "verify", "--read-data", "100");
});

test("an object that went missing is stored anew for the subject that verify names", async () => {
  await using sandbox = await startSandbox({ identities: 4, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const entry = (await place.entries("record.stored")).find(({ files }) => files.length > 0)!;
  for (const { key, versionId } of [entry.object, entry.files[0]!]) {
    await rm(place.path("vault/acme-bank/.versions", key, versionId), { force: true });
    await rm(place.path("vault/acme-bank", key), { force: true });
  }
  await place.expect(4, "verify");
  const again = await place.export("--subject", entry.subject);
  assert.deepEqual([again.again, again.files, again.unchanged], [1, 1, 3]);
  const anew = (await place.stored()).get(entry.subject)!.at(-1)!;
  assert.equal(anew.version, entry.version);
  assert.deepEqual(await place.record(anew).then(({ files }) => files.length), entry.files.length);
  // What was lost and is there again is told, and is no problem any more.
  const [report] = await place.expect<{ renewed: number; problems: number }>(0, "verify", "--read-data", "100");
  assert.deepEqual([report!.renewed, report!.problems], [2, 0]);
  assert.equal((await place.export("--identity", sandbox.ids()[0]!, "--again")).again, 1);
  assert.equal((await place.export("--identity", sandbox.ids()[0]!)).unchanged, 1);
});

/** Withholds or changes what the provider has of every file from now on. */
function refuseFiles(sandbox: Sandbox, answer: 403 | 404 | "other bytes"): void {
  sandbox.intercept((request, response) => {
    if (!/\/resource_files\//.test(request.url!)) return false;
    sandbox.requests.count("file", answer === "other bytes" ? 200 : answer);
    if (answer === "other bytes") response.writeHead(200, { "Content-Type": "image/png" }).end("encoded otherwise");
    else response.writeHead(answer, { "Content-Type": "application/json" }).end("{}");
    return true;
  });
}

for (const answer of [403, 404, "other bytes"] as const) {
  test(`a kept file stays in the record that is made again, though the provider answers ${answer}`, async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    await using place = await makeWorkplace(sandbox);
    await place.export();
    const before = (await place.entries("record.stored")).find(({ files }) => files.length > 0)!;
    refuseFiles(sandbox, answer);
    const [summary, ids] = [await place.export("--subject", before.subject), before.files.map(({ key }) => key)];
    assert.deepEqual([summary.again, summary.files, summary.withheld], [1, 0, 0]);
    const entry = (await place.entries("record.stored")).at(-1)!;
    assert.equal(entry.version, before.version);
    assert.deepEqual(
      entry.files.map(({ key, versionId, storedWith }) => [key, versionId, storedWith]),
      before.files.map(({ key, versionId }) => [key, versionId, before.version]),
    );
    const record = await place.record(entry);
    assert.deepEqual([record.files.map(({ key }) => key), record.withheld], [ids, []]);
    // No digest that was not seen of these very bytes.
    for (const { size, sha256 } of record.files) assert.deepEqual([size, sha256], [null, null]);
    await place.expect(0, "verify", "--read-data", "100", "--key", place.officer.file);
    const bag = place.path("bag");
    const request = ["--case", "1", "--requested-by", "Ada", "--reason", "again", "--subject", before.subject];
    const made = await place.holdfast("retrieve", [...request, "--out", bag]);
    assert.equal(made.code, 0, made.stderr);
    const opened = await place.holdfast("open", [bag, "--key", place.officer.file, "--out", place.path("opened")]);
    assert.equal(opened.code, 0, opened.stderr);
  });
}

test("a file that the vault lost and the provider refuses is withheld, not said to be kept", async () => {
  await using sandbox = await startSandbox({ identities: 4, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const entry = (await place.entries("record.stored")).find(({ files }) => files.length > 1)!;
  const [lost, ...others] = entry.files;
  await rm(place.path("vault/acme-bank/.versions", lost!.key, lost!.versionId), { force: true });
  await rm(place.path("vault/acme-bank", lost!.key), { force: true });
  refuseFiles(sandbox, 403);
  await place.export("--subject", entry.subject);
  const again = (await place.entries("record.stored")).at(-1)!;
  assert.deepEqual([again.files.length, again.withheld], [others.length, 1]);
  assert.deepEqual(
    (await place.record(again)).withheld.map(({ reason }) => reason),
    ["forbidden"],
  );
});

test("an exporter that may read nothing of what it stored stores no file again that is there", async () => {
  await using sandbox = await startSandbox({ identities: 4, plainImages: true });
  await using strict = await makeStrictPlace(sandbox);
  const { place, s3 } = strict;
  assert.equal((await place.export()).exit, 0);
  const entry = (await place.work.entries("record.stored")).find(({ files }) => files.length > 0)!;
  for (const rights of ["no GetObject", "nor GetObjectRetention"]) {
    s3.grant(({ operation, key }) => {
      if (!/^acme\/(records|files)\//.test(key)) return true;
      if (operation === "GetObjectRetention") return rights === "no GetObject";
      return operation !== "GetObject" && operation !== "HeadObject";
    });
    s3.forget();
    const ended = await place.export({}, { subjects: [entry.subject] });
    assert.deepEqual([ended.exit, ended.summary?.again, ended.summary?.files], [0, 1, 0], rights);
    assert.ok(!s3.seen.some(({ operation, key }) => operation === "PutObject" && key.includes("/files/")), rights);
  }
  s3.grant(() => true);
  await place.export();
  const again = (await place.work.entries("record.stored")).at(-1)!;
  assert.equal(again.files.length, entry.files.length);
});
