import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { startSandbox } from "../sandbox/server.ts";
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
