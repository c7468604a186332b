import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { DirectoryVault } from "../../src/vault/directory.ts";
import type { Lock, Vault } from "../../src/vault/vault.ts";
import { text } from "./body.ts";
import { code } from "./refusal.ts";

const lock: Lock = { mode: "governance", until: Temporal.Instant.from("2099-01-01T00:00:00Z") };

const NO_KEYS = [
  ...["", "/", "../x", "/etc/passwd", "a/../../x", "a/..", "a/./b", "a//b", "a/", ".versions/a/00000001"],
  ...["a/.versions", "a\\b", "a\0b", "a\nb", "A", "ä"],
];
const NO_VERSIONS = ["", ".", "..", "../00000001", "1", "00000001.json", "../../../outside", "null", "00000001/x"];

function operations(vault: Vault, key: string, versionId: string): Record<string, () => Promise<unknown>> {
  return {
    read: () => vault.read(key, 10, versionId),
    stream: () => vault.stream(key, versionId),
    head: () => vault.head(key, versionId),
    lock: () => vault.lock(key, versionId, lock),
  };
}

describe("what a directory refuses", () => {
  let folder: string;
  let vault: DirectoryVault;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-refusals-"));
    vault = new DirectoryVault(join(folder, "vault"));
    await vault.put("records/aa/a.age", text("one"));
    await writeFile(join(folder, "outside"), "outside");
    await mkdir(join(folder, "x"));
    await writeFile(join(folder, "x", "00000001"), "outside");
  });
  after(() => rm(folder, { recursive: true }));

  test("an invalid key, before touching anything", async () => {
    for (const key of NO_KEYS) {
      await assert.rejects(vault.put(key, text("one")), code("malformed"), key);
      await assert.rejects(vault.deleteVersion(key, "00000001"), code("malformed"), key);
      for (const ask of Object.values(operations(vault, key, "00000001"))) await assert.rejects(ask, code("malformed"));
    }
    assert.deepEqual(await readdir(folder), ["outside", "vault", "x"]);
  });

  test("an invalid version", async () => {
    for (const versionId of NO_VERSIONS) {
      for (const [what, ask] of Object.entries(operations(vault, "records/aa/a.age", versionId))) {
        await assert.rejects(ask, code("vault-missing"), `${what} ${versionId}`);
      }
      await assert.rejects(vault.deleteVersion("records/aa/a.age", versionId), code("vault-missing"), versionId);
    }
    assert.equal(await readFile(join(folder, "outside"), "utf8"), "outside");
  });

  test("a prefix that leads out of the vault", async () => {
    for (const prefix of ["../", "../../x/", "/", "a/../../../x/", "./"]) {
      await assert.rejects(Array.fromAsync(vault.list(prefix)), code("malformed"), prefix);
      await assert.rejects(Array.fromAsync(vault.versions(prefix)), code("malformed"), prefix);
    }
    assert.equal((await Array.fromAsync(vault.list(""))).length, 1);
    assert.deepEqual(await Array.fromAsync(vault.list("none/")), []);
  });

  test("a folder named like a version number is not an object", async () => {
    await vault.put("records/12345678/a.age", text("one"));
    await assert.rejects(vault.head("records"), code("vault-missing"));
    const keys = (await Array.fromAsync(vault.list("records/1"))).map(({ key }) => key);
    assert.deepEqual(keys, ["records/12345678/a.age"]);
  });

  test("names that the file system cannot hold", async () => {
    await assert.rejects(vault.put(`records/${"a".repeat(300)}`, text("one")), code("vault-rejected"));
    const beneath = new DirectoryVault(join(folder, "outside", "vault"));
    await assert.rejects(beneath.inspect(), code("vault-missing"));
    await assert.rejects(beneath.put("a", text("one")), code("vault-missing"));
  });

  test("files that this process may not access, even as root", async () => {
    const script = `
      import { DirectoryVault } from ${JSON.stringify(join(import.meta.dirname, "../../src/vault/directory.ts"))};
      const vault = new DirectoryVault(${JSON.stringify(join(folder, "vault"))});
      const codes = [];
      for (const ask of [
        () => vault.put("records/aa/b.age", new Uint8Array()),
        () => vault.deleteVersion("records/aa/a.age", "00000001"),
        () => vault.inspect(),
        () => vault.head("records/aa/a.age"),
      ]) await ask().then(() => codes.push("done"), (error) => codes.push(error.code));
      console.log(codes.join(" "));`;
    const options = ["--permission", "--allow-fs-read=*", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, options);
    assert.equal(stdout.trim(), "vault-denied vault-denied vault-denied done");
  });
});
