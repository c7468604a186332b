import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { signCheckpoint } from "../../src/audit/checkpoint.ts";
import { Entries } from "../../src/audit/entries.ts";
import { Frontier } from "../../src/audit/frontier.ts";
import { AuditLog, type Head } from "../../src/audit/log.ts";
import { leafHash } from "../../src/audit/merkle.ts";
import { SignedLog } from "../../src/audit/signed-log.ts";
import { decodeBundle, encodeBundle, newBundles, tilePath } from "../../src/audit/tile.ts";
import { hasCode } from "../../src/core/error.ts";
import { auditKey, CHECKPOINT } from "../../src/vault/layout.ts";
import { bytesOf, signer } from "./desk.ts";
import { MemoryVault } from "./memory-vault.ts";

/** A log of `size` entries in its own vault, with its verified head. */
async function logOf(size: number): Promise<{ vault: MemoryVault; log: AuditLog; head: Head }> {
  const vault = new MemoryVault();
  const entries = Array.from({ length: size }, (_, n) => Buffer.from(bytesOf(n)));
  const frontier = new Frontier();
  for (const { path, bytes } of frontier.append(entries.map(leafHash))) await vault.put(auditKey(path), bytes);
  for (const bundle of newBundles(0, size)) {
    const start = bundle.index * 256;
    await vault.put(auditKey(tilePath(bundle)), encodeBundle(entries.slice(start, start + bundle.width)));
  }
  await vault.put(
    CHECKPOINT,
    Buffer.from(signCheckpoint({ origin: signer.name, size, root: frontier.root() }, signer)),
  );
  const log = new AuditLog(vault, signer.name, [signer.verifier]);
  return { vault, log, head: await log.head() };
}

const indices = (size: number): number[] =>
  [...new Set([0, 1, 255, 256, 257, 511, 512, size - 2, size - 1])].filter((index) => index >= 0 && index < size);

for (const size of [1, 2, 255, 256, 257, 511, 512, 513, 66_000]) {
  test(`of ${size} entries: reads each by its index and in order, from anywhere`, async () => {
    const { log, head } = await logOf(size);
    const entries = new Entries({ log, head });
    for (const index of indices(size)) {
      assert.equal(Buffer.from(await entries.bytes(index)).toString(), bytesOf(index));
      const read = await Array.fromAsync(new SignedLog(log, head).entries(index), ({ bytes }) => bytes.length);
      assert.equal(read.length, size - index);
    }
    assert.deepEqual(await Array.fromAsync(new SignedLog(log, head).entries(size)), []);
    await assert.rejects(entries.bytes(size), (error) => hasCode(error, "unverified", "malformed"));
  });
}

test("one flipped bit in any bundle or tile: no false entry is returned, neither by index nor in order", async () => {
  const size = 700;
  const { vault, log, head } = await logOf(size);
  const keys = vault.keys("audit/tile");
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...keys), fc.nat(), fc.nat(size - 1), async (key, bit, index) => {
      const changed = vault.copy();
      const bytes = Buffer.from((await vault.read(key, 1e9)).bytes);
      bytes[(bit >> 3) % bytes.length]! ^= 1 << (bit & 7);
      await changed.put(key, bytes);
      const forged = new AuditLog(changed, log.origin, log.verifiers);
      try {
        const given = Buffer.from(await new Entries({ log: forged, head }).bytes(index)).toString();
        assert.equal(given, bytesOf(index), key);
      } catch (error) {
        assert.ok(hasCode(error, "unverified", "malformed"), String(error));
      }
      let next = index;
      try {
        for await (const entry of new SignedLog(forged, head).entries(index))
          assert.equal(Buffer.from(entry.bytes).toString(), bytesOf(next++), key);
        assert.equal(next, size);
      } catch (error) {
        assert.ok(hasCode(error, "unverified", "malformed"), String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test("a bundle and its tile forged together do not match the tile above", async () => {
  for (const bundle of [0, 1, 2]) {
    const { vault, log, head } = await logOf(700);
    const width = Math.min(256, 700 - bundle * 256);
    const key = auditKey(tilePath({ level: "entries", index: bundle, width }));
    const entries = decodeBundle((await vault.read(key, 1e9)).bytes, width);
    entries[3] = Buffer.from(bytesOf(9_999));
    await vault.put(key, encodeBundle(entries));
    await vault.put(auditKey(tilePath({ level: 0, index: bundle, width })), Buffer.concat(entries.map(leafHash)));
    const unverified = (error: unknown) => hasCode(error, "unverified");
    await assert.rejects(new Entries({ log, head }).bytes(bundle * 256 + 3), unverified);
    await assert.rejects(new Entries({ log, head }).proof(bundle * 256 + 3), unverified);
    await assert.rejects(Array.fromAsync(new SignedLog(log, head).entries(0)), unverified);
  }
});

test("many entries: each tile is read once", async () => {
  const { log, head } = await logOf(66_000);
  const read = new Map<string, number>();
  const counted = {
    bundle: (index: number, size: number) => log.bundle(index, size),
    tile: (level: number, index: number, width: number) => {
      const name = `${level}/${index}`;
      read.set(name, (read.get(name) ?? 0) + 1);
      return log.tile(level, index, width);
    },
  } as unknown as AuditLog;
  const entries = new Entries({ log: counted, head });
  for (let n = 0; n < 500; n++) {
    await entries.bytes((n * 7_919) % 20_000);
    await entries.proof((n * 7_919) % 20_000);
  }
  assert.deepEqual(
    [...read].filter(([, times]) => times > 1),
    [],
  );
});
