import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AuditLog } from "../../src/audit/log.ts";
import { leafHash } from "../../src/audit/merkle.ts";
import { generateKey, parseSigner } from "../../src/audit/note.ts";
import { CHECKPOINT } from "../../src/vault/layout.ts";
import { bytesOf, type Desk, makeDesk, range, signer } from "./desk.ts";
import { MemoryVault } from "./memory-vault.ts";

const SIZE = 1300;

async function written(size = SIZE): Promise<{ vault: MemoryVault; desk: Desk }> {
  const vault = new MemoryVault();
  const desk = await makeDesk(vault);
  await desk.write(0, size);
  return { vault, desk };
}

const read = (log: AuditLog, from: number, size: number) =>
  Array.fromAsync(log.entries(from, size), ({ index, bytes }) => [index, Buffer.from(bytes).toString()]);

test("reads entries from any index up to the size of any checkpoint", async () => {
  const { desk } = await written();
  await using _ = desk;
  const all = range(0, SIZE).map((text, index) => [index, text]);
  for (const from of [0, 1, 255, 256, 257, 1023, 1299, 1300])
    assert.deepEqual(await read(desk.log(), from, SIZE), all.slice(from));
  await desk.write(SIZE, SIZE + 10);
  assert.deepEqual(await read(desk.log(), 1290, SIZE), all.slice(1290));
  assert.deepEqual(await read(desk.log(), 0, 0), []);
  for (const index of [0, 255, 256, 1299])
    assert.deepEqual(Buffer.from(await desk.log().leaf(index, SIZE)), leafHash(Buffer.from(bytesOf(index))));
});

describe("a tampered log", () => {
  test("a checkpoint of another key, another log, or none", async () => {
    const { desk, vault } = await written(3);
    await using _ = desk;
    const stranger = parseSigner(generateKey(signer.name).skey).verifier;
    await assert.rejects(new AuditLog(vault, signer.name, [stranger]).head(), { code: "unverified" });
    await assert.rejects(
      new AuditLog(vault, "other.example/log", [signer.verifier]).head(),
      (error: { code?: string }) => ["unverified", "malformed"].includes(error.code!),
    );
    await vault.put(CHECKPOINT, Buffer.from("hello\n"));
    await assert.rejects(desk.log().head(), { code: "malformed" });
    vault.remove(CHECKPOINT);
    await assert.rejects(desk.log().head(), { code: "incomplete" });
  });

  test("a bundle that is truncated or too long", async () => {
    const { desk, vault } = await written();
    await using _ = desk;
    const key = "audit/tile/entries/002";
    const { bytes } = await vault.read(key, 1e6);
    for (const bad of [bytes.subarray(0, -1), Buffer.concat([bytes, bytes]), Buffer.alloc(0)]) {
      await vault.put(key, bad);
      await assert.rejects(read(desk.log(), 0, SIZE), { code: "malformed" });
      assert.equal((await read(desk.log(), 1024, SIZE)).length, SIZE - 1024);
    }
  });

  test("a missing bundle", async () => {
    const { desk, vault } = await written();
    await using _ = desk;
    vault.remove("audit/tile/entries/002");
    await assert.rejects(read(desk.log(), 0, SIZE), { code: "incomplete" });
  });

  test("a tile or bundle that the writer needs: it refuses to continue", async () => {
    const { desk, vault } = await written();
    await using _ = desk;
    const tile = "audit/tile/0/005.p/20";
    const { bytes } = await vault.read(tile, 1e6);
    await vault.put(tile, Buffer.from(bytes).fill(1, 0, 1));
    await assert.rejects(desk.open(), { code: "unverified" });
    await vault.put(tile, bytes);
    const bundle = "audit/tile/entries/005.p/20";
    const entries = (await vault.read(bundle, 1e6)).bytes;
    await vault.put(bundle, Buffer.from(Buffer.from(entries).toString("latin1").replace("seal", "sear"), "latin1"));
    await assert.rejects(desk.write(SIZE, SIZE + 1), { code: "unverified" });
    await vault.put(bundle, entries);
    // The entry that could not be logged waited in the journal.
    await desk.write(SIZE + 1, SIZE + 2);
    assert.deepEqual(await desk.entries(), range(0, SIZE + 2));
  });
});
