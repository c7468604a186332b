import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { signCheckpoint } from "../../src/audit/checkpoint.ts";
import { generateKey, parseSigner } from "../../src/audit/note.ts";
import { CHECKPOINT, VAULT_JSON } from "../../src/vault/layout.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

/** Names a new log key in the config, with the current one as its predecessor, and runs init. */
async function handOver(place: Workplace, from: string, to: string): Promise<void> {
  await place.configure({ log: { key: `file:./keys/${to}`, previousKey: `file:./keys/${from}` } });
  await place.expect(0, "init");
  await place.configure({ log: { previousKey: undefined } });
}

test("the log is handed over to a new key, twice, and verifiers know all of them", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  await handOver(place, "log", "log-2");
  sandbox.change(1);
  assert.equal((await place.export()).changed, 1);
  await handOver(place, "log-2", "log-3");
  await place.expect(0, "init");
  assert.equal((await place.entries("key.changed")).length, 2);
  const [report] = await place.expect<{ checkpoints: number }>(0, "verify", "--read-data", "100");
  assert.ok(report!.checkpoints >= 5);

  // The old key no longer signs, and is refused by name.
  await place.configure({ log: { key: "file:./keys/log" } });
  await place.expect(2, "export");
});

test("a handover interrupted by a crash is completed by the next init, and logged once", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const before = await (await place.vault()).read(VAULT_JSON, 1e6);
  await handOver(place, "log", "log-2");
  // As if the process had died between the checkpoint and vault.json.
  await (await place.vault()).put(VAULT_JSON, before.bytes);
  await place.expect(2, "export");
  await handOver(place, "log", "log-2");
  assert.equal((await place.entries("key.changed")).length, 1);
  await place.export();
  await place.expect(0, "verify");
});

test("a key without a handover is found, although vault.json names the real one as its predecessor", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const vault = await place.vault();
  const { head } = await place.log();
  const forged = parseSigner(generateKey(head.origin).skey);
  const description = JSON.parse(Buffer.from((await vault.read(VAULT_JSON, 1e6)).bytes).toString());
  const log = { origin: head.origin, vkey: forged.verifier.vkey, former: [description.log.vkey] };
  await vault.put(VAULT_JSON, Buffer.from(JSON.stringify({ ...description, log })));
  await vault.put(CHECKPOINT, Buffer.from(signCheckpoint(head, forged)));
  // On a machine that has neither the log's key nor its state: an auditor's.
  await place.configure({ log: { key: "env:NOT_HERE" } });
  place.config.state = "./elsewhere";
  await place.configure();
  const [report] = await place.expect<{ found: { key: string }[] }>(4, "verify");
  assert.ok(report!.found.some(({ key }) => key === VAULT_JSON));
  await place.expect(4, "verify", "--vkey", description.log.vkey);
});

test("an object with a weaker lock than logged is found", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox, { client: { vault: { lock: "compliance" } } });
  await place.export();
  await place.expect(0, "verify");
  const [entry] = await place.entries("record.stored");
  assert.equal(entry!.lockMode, "compliance");
  const note = place.path("vault/acme-bank/.versions", entry!.object.key, `${entry!.object.versionId}.json`);
  const weaker = (await readFile(note, "utf8")).replace("compliance", "governance");
  await writeFile(note, weaker);
  const [report] = await place.expect<{ found: { key: string }[] }>(4, "verify");
  assert.deepEqual(
    report!.found.map(({ key }) => key),
    [entry!.object.key],
  );
});
