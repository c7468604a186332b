import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { DirectoryVault } from "../../src/vault/directory.ts";
import { text } from "./body.ts";
import type { Order, Outcome } from "./racer.ts";
import { code } from "./refusal.ts";

const KEY = "audit/checkpoint";

describe("writers that race for a directory", () => {
  let folder: string;
  let root: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-race-"));
    root = join(folder, "vault");
  });
  after(() => rm(folder, { recursive: true }));

  test("of many handles that swap the same version exactly one wins, in every round", async () => {
    const handles = Array.from({ length: 8 }, () => new DirectoryVault(root));
    let { etag } = await handles[0]!.put(KEY, text("start"));
    for (let round = 0; round < 15; round++) {
      const swaps = handles.map((vault, i) => vault.put(KEY, text(`${round} ${i}`), { ifMatch: etag }));
      const settled = await Promise.allSettled(swaps);
      const won = settled.filter((each) => each.status === "fulfilled");
      assert.equal(won.length, 1);
      for (const each of settled) if (each.status === "rejected") code("vault-conflict")(each.reason);
      etag = won[0]!.value.etag;
    }
  });

  test("of many handles that create the same key exactly one does", async () => {
    for (let round = 0; round < 10; round++) {
      const creations = Array.from({ length: 8 }, (_, i) =>
        new DirectoryVault(root).put(`records/aa/once-${round}.age`, text(`${i}`), { ifAbsent: true }),
      );
      const settled = await Promise.allSettled(creations);
      assert.equal(settled.filter((each) => each.status === "fulfilled").length, 1);
      for (const each of settled) if (each.status === "rejected") code("vault-exists")(each.reason);
    }
  });

  test("of many processes that swap the same version exactly one wins, in every round", async () => {
    const racers = Array.from({ length: 4 }, () => fork(join(import.meta.dirname, "racer.ts")));
    try {
      await Promise.all(racers.map((racer) => once(racer, "message")));
      const vault = new DirectoryVault(root);
      let { etag } = await vault.put(KEY, text("start"));
      for (let round = 0; round < 40; round++) {
        const outcomes = await Promise.all(racers.map((racer) => ask(racer, { root, key: KEY, ifMatch: etag })));
        const won = outcomes.filter((outcome) => "etag" in outcome);
        const lost = outcomes.filter((outcome) => "code" in outcome);
        assert.deepEqual([won.length, lost.map((outcome) => outcome.code)], [1, Array(3).fill("vault-conflict")]);
        etag = won[0]!.etag;
      }
      assert.equal((await vault.head(KEY)).etag, etag);
    } finally {
      for (const racer of racers) racer.kill();
    }
  });

  test("no unconditional put is lost, and the newest is visible", async () => {
    const key = "records/aa/many.age";
    const handles = Array.from({ length: 5 }, () => new DirectoryVault(root));
    const bodies = Array.from({ length: 40 }, (_, i) => `body ${i}`);
    const stored = await Promise.all(bodies.map((body, i) => handles[i % 5]!.put(key, text(body))));
    assert.equal(new Set(stored.map(({ versionId }) => versionId)).size, bodies.length);
    for (const [i, { versionId, sha256 }] of stored.entries()) {
      const { bytes, info } = await handles[0]!.read(key, 100, versionId);
      assert.deepEqual([String(Buffer.from(bytes)), info.sha256], [bodies[i], sha256]);
    }
    const { versionId } = await handles[0]!.head(key);
    const newest = stored.findIndex((each) => each.versionId === versionId);
    assert.equal(await readFile(join(root, key), "utf8"), bodies[newest]);
    const left = await readdir(root, { recursive: true });
    assert.deepEqual(
      left.filter((name) => name.includes(".new")),
      [],
    );
  });

  test("concurrent puts and deletions keep what was not deleted", async () => {
    const key = "records/aa/both.age";
    const vault = new DirectoryVault(root);
    const old = await Promise.all([1, 2, 3, 4, 5].map((i) => vault.put(key, text(`old ${i}`))));
    await Promise.all([
      ...old.map(({ versionId }) => new DirectoryVault(root).deleteVersion(key, versionId)),
      ...[1, 2, 3, 4, 5].map((i) => new DirectoryVault(root).put(key, text(`new ${i}`))),
    ]);
    const left = await Array.fromAsync(vault.versions(key));
    assert.equal(left.length, 5);
    const newest = await vault.read(key, 100);
    assert.equal(await readFile(join(root, key), "utf8"), String(Buffer.from(newest.bytes)));
  });
});

async function ask(racer: ChildProcess, order: Order): Promise<Outcome> {
  const answer = once(racer, "message");
  racer.send(order);
  return (await answer)[0] as Outcome;
}
