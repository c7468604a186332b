import assert from "node:assert/strict";
import { test } from "node:test";
import { verify } from "../../jobs/verify.ts";
import type { RecordStored } from "../../src/audit/entry.ts";
import type { SealedRecord } from "../../src/record/record.ts";
import { Sealer } from "../../src/seal/seal.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { rewrite } from "./scripted.ts";

/** Stores another record under a record's name, and logs that, as an attacker with the log key could. */
async function replaceRecord(
  place: Workplace,
  of: RecordStored,
  change: (record: SealedRecord) => unknown,
): Promise<void> {
  const { recipients } = await place.client();
  const changed = change(await place.record(of));
  const sealed = await new Sealer(recipients).seal(Buffer.from(JSON.stringify(changed)));
  const vault = await place.vault();
  const until = Temporal.Instant.from(of.lockedUntil);
  const { versionId } = await vault.put(of.object.key, sealed, { lock: { mode: "governance", until } });
  const { size, sha256 } = await vault.head(of.object.key);
  await vault.close();
  const object = { ...of.object, versionId, size, sha256: sha256! };
  const entries = (await place.entries()).map((entry) =>
    entry.type === "record.stored" && entry.object.key === of.object.key ? { ...entry, object } : entry,
  );
  await rewrite(place, entries);
}

test("with a private key, files are compared with what their record says", async () => {
  await using sandbox = await startSandbox({ identities: 3, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  sandbox.change(2);
  await place.export();
  const found = async (key?: string, readData = 100) => {
    const [report] = await verify(await session(place), { readData, ...(key === undefined ? {} : { key }) });
    return report!;
  };
  const { officer } = place;
  assert.deepEqual((await found(officer.file)).found, []);

  const stored = await place.entries("record.stored");
  const at = (await place.entries()).findIndex((entry) => entry.type === "record.stored" && entry.files.length > 1);
  const of = stored.find(({ files }) => files.length > 1)!;
  const [first, second] = (await place.record(of)).files;
  await replaceRecord(place, of, (record) => ({
    ...record,
    files: record.files.map((file) => (file.key === first!.key ? { ...file, sha256: second!.sha256 } : file)),
  }));
  const { found: problems } = await found(officer.file);
  assert.deepEqual(
    problems.map(({ key, entry, what }) => [key, entry, what]),
    [[first!.key, at, "its content differs from what its record says"]],
  );
  const ended = await place.here("verify", ["--read-data", "100", "--key", officer.file, "--json"]);
  assert.equal(ended.code, 4);
  for (const canary of [...sandbox.canaries(), ...sandbox.ids()])
    assert.ok(!ended.stderr.includes(canary) && !ended.stdout.includes(canary), canary);
  // Without the key no one can tell: the sealed objects match the log.
  assert.deepEqual((await found()).found, []);

  await replaceRecord(place, of, () => ({ holdfast: "something else", files: [] }));
  assert.deepEqual(
    (await found(officer.file)).found.map(({ key }) => key),
    [of.object.key],
  );
});
