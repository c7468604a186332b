import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { leafHash, rootOf, verifyConsistency, verifyInclusion } from "../../src/audit/merkle.ts";
import { consistencyProof, inclusionProof } from "../../src/audit/proof.ts";
import { newBundles, tilePath, tilesFor } from "../../src/audit/tile.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { DirectoryVault } from "../../src/vault/directory.ts";
import { auditKey, CHECKPOINT } from "../../src/vault/layout.ts";
import { appendAll, bytesOf, type Desk, entry, makeDesk, range } from "./desk.ts";
import { dying, type Fault, MemoryVault } from "./memory-vault.ts";

const SIZES = [0, 1, 255, 256, 257, 511, 512, 1000];

/** What the journal in this state directory says. */
async function onDisk(state: string): Promise<string> {
  const folder = join(state, "journal");
  const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), "utf8")));
  return texts.join("");
}

/** The keys of a log with one batch of `size` entries. */
function keysOf(size: number): string[] {
  const paths = [...newBundles(0, size), ...tilesFor(size)].map((tile) => auditKey(tilePath(tile)));
  return [CHECKPOINT, ...paths].sort();
}

async function checkProofs(desk: Desk, step: number): Promise<void> {
  const log = desk.log();
  const { size, root } = await log.head();
  for (let index = 0; index < size; index += step) {
    const proof = await inclusionProof(index, size, log.tile);
    verifyInclusion(leafHash(Buffer.from(bytesOf(index))), index, size, proof, root);
  }
}

test("a log grows from size to size in a directory: tiles, roots, proofs", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-writer-"));
  try {
    const vault = new DirectoryVault(folder);
    await using desk = await makeDesk(vault);
    const expected = new Set([CHECKPOINT]);
    let before = (await desk.open()).head;
    for (const size of SIZES) {
      const head = await desk.write(before.size, size);
      assert.equal(head.size, size);
      const leaves = range(0, size).map((text) => leafHash(Buffer.from(text)));
      assert.deepEqual(Buffer.from(head.root), Buffer.from(rootOf(leaves)));
      const proof = await consistencyProof(before.size, size, desk.log().tile);
      verifyConsistency(before.size, before.root, size, head.root, proof);
      for (const key of keysOf(size)) expected.add(key);
      before = head;
    }
    // The tiles of each size, and full tiles of a batch written early; nothing else.
    const keys = (await Array.fromAsync(vault.list("audit/"))).map(({ key }) => key);
    assert.deepEqual(keys.sort(), [...expected].sort());
    assert.deepEqual(await desk.entries(), range(0, 1000));
    await desk.checkHistory();
    await checkProofs(desk, 3);
    for (const key of keys) assert.ok((await vault.head(key)).lock, key);
  } finally {
    await rm(folder, { recursive: true });
  }
});

for (const size of [...SIZES, 70_000]) {
  test(`a log of ${size} entries written at once has the tiles of its size`, async () => {
    const vault = new MemoryVault();
    await using desk = await makeDesk(vault, { batch: 1024 });
    await desk.write(0, size);
    assert.deepEqual(vault.keys(), keysOf(size));
    await checkProofs(desk, Math.ceil(size / 100) || 1);
    await desk.checkHistory();
    assert.equal((await desk.entries()).length, size);
  });
}

test("concurrent appends keep their order, and each returns its index", async () => {
  await using desk = await makeDesk(new MemoryVault());
  const writer = await desk.open();
  const placed = await Promise.all(Array.from({ length: 700 }, (_, n) => writer.append(entry(n)))).then((all) =>
    all.flat(),
  );
  assert.deepEqual(
    placed.map(({ index, bytes }) => [index, Buffer.from(bytes).toString()]),
    range(0, 700).map((text, index) => [index, text]),
  );
  await Promise.all([writer.flush(), appendAll(writer, 700, 900), writer.flush()]);
  await writer.flush();
  await writer.close();
  assert.deepEqual(await desk.entries(), range(0, 900));
});

test("a store that is slower than the disk holds up appends, so that memory stays flat", async () => {
  const slow = new MemoryVault();
  const open = Promise.withResolvers<void>();
  await using desk = await makeDesk(slow);
  slow.put = async (key, body, options) => {
    if (key.startsWith("audit/tile/")) await open.promise;
    return MemoryVault.prototype.put.call(slow, key, body, options);
  };
  const writer = await desk.open();
  const most = 8 * 256;
  await appendAll(writer, 0, most - 1);
  let appended = false;
  const last = writer.append(entry(most - 1)).then(() => {
    appended = true;
  });
  while (!(await onDisk(desk.state)).includes(`"r${most - 1}"`));
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(appended, false);
  open.resolve();
  await last;
  await appendAll(writer, most, 2 * most);
  await writer.flush();
  await writer.close();
  assert.deepEqual(await desk.entries(), range(0, 2 * most));
});

test("an append does not overtake those that a slow store holds up", async () => {
  const slow = new MemoryVault();
  const open = Promise.withResolvers<void>();
  await using desk = await makeDesk(slow);
  const writer = await desk.open();
  const most = 8 * 256;
  const done: number[] = [];
  const append = (n: number) => writer.append(entry(n)).then(() => done.push(n));
  let late: Promise<unknown> | undefined;
  slow.put = async (key, body, options) => {
    if (key.startsWith("audit/tile/")) await open.promise;
    const stored = await MemoryVault.prototype.put.call(slow, key, body, options);
    // From here on, fewer entries wait for the store.
    if (key === CHECKPOINT) late ??= append(most);
    return stored;
  };
  await appendAll(writer, 0, most - 1);
  const last = append(most - 1);
  while (!(await onDisk(desk.state)).includes(`"r${most - 1}"`));
  open.resolve();
  await last;
  await late;
  assert.deepEqual(done, [most - 1, most]);
  await writer.flush();
  await writer.close();
  assert.deepEqual(await desk.entries(), range(0, most + 1));
});

test("an entry that the log cannot hold is refused, without losing the others", async () => {
  await using desk = await makeDesk(new MemoryVault());
  const writer = await desk.open();
  await writer.append(entry(0));
  const counts = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`count-${n}`, n]));
  const { time, run } = entry(0);
  await assert.rejects(writer.append({ type: "run.finished", time, run, outcome: "done", counts }), {
    code: "log-rejected",
  });
  await writer.append(entry(1));
  await writer.flush();
  await writer.close();
  assert.deepEqual(await desk.entries(), range(0, 2));
});

describe("another history", () => {
  for (const ifMatch of [true, false]) {
    const conditional = { ifNoneMatch: ifMatch, ifMatch };
    test(`a second writer is detected, ${ifMatch ? "by compare-and-swap" : "by reading"}`, async () => {
      await using desk = await makeDesk(new MemoryVault(), { conditional });
      await desk.write(0, 10);
      const other = await (await desk.elsewhere({})).open();
      const writer = await desk.open();
      await appendAll(writer, 10, 20);
      await writer.flush();
      await appendAll(other, 10, 12);
      await assert.rejects(other.flush(), { code: "forked" });
      // It has stopped.
      await assert.rejects(other.append(entry(12)), { code: "forked" });
      await assert.rejects(other.flush(), { code: "forked" });
      await other.close();
      await appendAll(writer, 20, 30);
      await writer.flush();
      await writer.close();
      assert.deepEqual(await desk.entries(), range(0, 30));
    });

    test(`a checkpoint is retried after its answer was lost, ${ifMatch ? "with" : "without"} compare-and-swap`, async () => {
      const vault = new MemoryVault();
      await using desk = await makeDesk(vault, { conditional });
      const again = new MemoryVault();
      again.put = async (key, body, options) => {
        if (key === CHECKPOINT) await vault.put(key, body, options);
        return vault.put(key, body, options);
      };
      again.head = (key, versionId) => vault.head(key, versionId);
      again.versions = (prefix) => vault.versions(prefix);
      await desk.write(0, 5, { vault: again });
      assert.deepEqual(await desk.entries(), range(0, 5));
    });
  }

  test("a log that was truncated, or rewritten by someone with the key, is not continued", async () => {
    const vault = new MemoryVault();
    await using desk = await makeDesk(vault);
    await desk.write(0, 300);
    const earlier = vault.copy();
    await desk.write(300, 600);
    await assert.rejects((await desk.elsewhere({ vault: earlier, state: desk.state })).open(), { code: "forked" });
    const again = await desk.elsewhere({ vault: earlier });
    await again.write(1000, 1400);
    await assert.rejects((await desk.elsewhere({ vault: earlier, state: desk.state })).open(), { code: "forked" });
    // A machine that never saw the log cannot know, and says so.
    const stranger = await (await desk.elsewhere({ vault: earlier })).open();
    assert.equal(stranger.continued, false);
    const writer = await desk.open();
    assert.equal(writer.continued, true);
  });

  test("a writer that has lost the lease writes no checkpoint", async () => {
    await using desk = await makeDesk(new MemoryVault());
    const writer = await desk.open({
      holds: () => {
        throw new HoldfastError("busy", "lost");
      },
    });
    await writer.append(entry(0));
    await assert.rejects(writer.flush(), { code: "busy" });
    await writer.close();
    assert.deepEqual(await desk.entries(), []);
    await desk.write(1, 2);
    assert.deepEqual(await desk.entries(), range(0, 2));
  });
});

test("after any failed write, whether it arrived or not: nothing is lost or duplicated", async () => {
  const session = fc.record({
    bursts: fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 3 }),
    failAt: fc.nat(14),
    fault: fc.constantFrom<Fault>("before", "after"),
  });
  const property = fc.asyncProperty(fc.array(session, { maxLength: 4 }), fc.boolean(), async (sessions, ifMatch) => {
    const vault = new MemoryVault();
    await using desk = await makeDesk(vault, { conditional: { ifNoneMatch: ifMatch, ifMatch } });
    const done: string[] = [];
    let next = 0;
    for (const { bursts, failAt, fault } of sessions) {
      const writer = await desk.open({ vault: dying(vault, failAt, fault) }).catch(() => undefined);
      for (const burst of writer ? bursts : []) {
        const first = next;
        next += burst;
        const appended = await Promise.allSettled(
          Array.from({ length: burst }, (_, position) => writer!.append(entry(first + position))),
        );
        for (const [position, { status }] of appended.entries())
          if (status === "fulfilled") done.push(bytesOf(first + position));
        await writer!.flush().catch(() => {});
      }
      await writer?.close();
    }
    await (await desk.open()).close();
    assert.deepEqual(await desk.entries(), done);
    await desk.checkHistory();
    assert.deepEqual(await readdir(join(desk.state, "journal")), []);
  });
  await fc.assert(property, { numRuns: 60 });
});
