import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { link, mkdir, mkdtemp, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { DirectoryVault } from "../../src/vault/directory.ts";
import type { Lock } from "../../src/vault/vault.ts";
import { collect, text } from "./body.ts";
import { code } from "./refusal.ts";

const lock: Lock = { mode: "governance", until: Temporal.Instant.from("2099-01-01T00:00:00Z") };
const sha256 = (value: string) => createHash("sha256").update(value).digest("hex");

describe("a directory after a crash", () => {
  let folder: string;
  let root: string;
  let vault: DirectoryVault;
  const inside = (key: string, name: string) => join(root, ".versions", key, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-crash-"));
    root = join(folder, "vault");
    vault = new DirectoryVault(root);
  });
  after(() => rm(folder, { recursive: true }));

  test("a version without metadata is complete: its digest is computed, and no lock is reported", async () => {
    const { key, versionId } = await vault.put("records/aa/a.age", text("kept"), { lock });
    await unlink(inside(key, `${versionId}.json`));
    const { info } = await vault.read(key, 10);
    assert.deepEqual([info.versionId, info.sha256, info.lock, info.hold], [versionId, sha256("kept"), null, false]);
    // The run that adopts it sets the missing lock.
    await vault.lock(key, versionId, lock);
    assert.equal((await vault.head(key)).sha256, sha256("kept"));
    await assert.rejects(vault.deleteVersion(key, versionId), code("vault-locked"));
  });

  test("a version without metadata can be deleted, and its number is not reused", async () => {
    const { key, versionId } = await vault.put("records/aa/b.age", text("one"));
    await unlink(inside(key, `${versionId}.json`));
    await vault.deleteVersion(key, versionId);
    await assert.rejects(vault.head(key), code("vault-missing"));
    assert.notEqual((await vault.put(key, text("two"))).versionId, versionId);
  });

  test("a deletion that removed only the bytes is complete", async () => {
    const { key, versionId } = await vault.put("records/aa/c.age", text("one"));
    await unlink(inside(key, versionId));
    await assert.rejects(vault.head(key), code("vault-missing"));
    await assert.rejects(vault.stream(key, versionId), code("vault-missing"));
    assert.deepEqual(await Array.fromAsync(vault.versions(key)), []);
    await vault.deleteVersion(key, versionId);
  });

  test("unfinished files are not versions", async () => {
    const key = "records/bb/a.age";
    await mkdir(dirname(inside(key, "x")), { recursive: true });
    await writeFile(inside(key, ".new-0011223344556677"), "half");
    await assert.rejects(vault.head(key), code("vault-missing"));
    assert.deepEqual(await Array.fromAsync(vault.list("records/bb/")), []);
    const { versionId } = await vault.put(key, text("whole"), { ifAbsent: true });
    await writeFile(inside(key, `${versionId}.json.00112233.new`), "{");
    await writeFile(join(root, `${key}.new-00112233`), "half");
    assert.deepEqual(await Array.fromAsync(vault.list("records/bb/")), [{ key, size: 5 }]);
    assert.equal((await Array.fromAsync(vault.versions("records/bb/"))).length, 1);
    assert.equal((await vault.head(key)).sha256, sha256("whole"));
  });

  test("a temporary name left after a commit changes nothing", async () => {
    const { key, versionId } = await vault.put("records/bb/b.age", text("whole"));
    await link(inside(key, versionId), inside(key, ".new-0011223344556677"));
    assert.equal(String(await collect(await vault.stream(key))), "whole");
    assert.equal((await Array.fromAsync(vault.versions(key))).length, 1);
  });

  test("the vault does not need the plain name, and the next put restores it", async () => {
    const { key } = await vault.put("records/cc/a.age", text("one"));
    await unlink(join(root, key));
    assert.equal(String(await collect(await vault.stream(key))), "one");
    assert.deepEqual(await Array.fromAsync(vault.list("records/cc/")), [{ key, size: 3 }]);
    const { versionId } = await vault.put(key, text("two"));
    assert.equal(await readFile(join(root, key), "utf8"), "two");
    await unlink(join(root, key));
    await vault.deleteVersion(key, versionId);
    assert.equal(await readFile(join(root, key), "utf8"), "one");
  });

  test("invalid metadata is an error", async () => {
    const { key, versionId } = await vault.put("records/dd/a.age", text("one"), { lock });
    for (const note of ["", "{", '{"sha256":null,"lock":{"mode":"none","until":"2099-01-01T00:00:00Z"}}']) {
      await rm(inside(key, `${versionId}.json`));
      await writeFile(inside(key, `${versionId}.json`), note);
      await assert.rejects(vault.head(key), code("malformed"));
      await assert.rejects(vault.deleteVersion(key, versionId), code("malformed"));
    }
  });
});
