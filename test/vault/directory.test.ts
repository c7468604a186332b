import assert from "node:assert/strict";
import fs, { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock, test } from "node:test";
import { DirectoryVault } from "../../src/vault/directory.ts";
import { conformance } from "./conformance.ts";
import { onDisk } from "./outside.ts";

conformance("directory", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-vault-"));
  return {
    vault: new DirectoryVault(join(folder, "vault")),
    ifNoneMatch: true,
    ifMatch: true,
    outside: (key) => onDisk(join(folder, "vault"), key),
    close: () => rm(folder, { recursive: true }),
  };
});

test("after all versions are deleted, the plain name is gone too", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-vault-"));
  try {
    const vault = new DirectoryVault(folder);
    const key = `files/aa/${"a".repeat(32)}/${"b".repeat(32)}.age`;
    const text = (what: string) => new TextEncoder().encode(what);
    const versions = [await vault.put(key, text("one")), await vault.put(key, text("two"))];
    await vault.deleteVersion(key, versions[1]!.versionId);
    assert.equal(await readFile(join(folder, key), "utf8"), "one");
    await vault.deleteVersion(key, versions[0]!.versionId);
    const left = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    assert.deepEqual(
      left.map(({ name }) => name).filter((name) => !name.endsWith(".json")),
      [],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("listing one key reads no other folders", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-vault-"));
  const read = mock.method(fs, "readdir");
  try {
    const vault = new DirectoryVault(folder);
    for (const key of ["lease.json", "records/aa/one.age", "records/bb/two.age"])
      await vault.put(key, new Uint8Array(1));
    syncBuiltinESMExports();
    const found = await Array.fromAsync(vault.versions("lease.json"));
    assert.deepEqual(
      found.map(({ key }) => key),
      ["lease.json"],
    );
    const folders = read.mock.calls.map(({ arguments: [path] }) => String(path));
    assert.deepEqual(folders, [join(folder, ".versions"), join(folder, ".versions/lease.json/")]);
  } finally {
    read.mock.restore();
    syncBuiltinESMExports();
    await rm(folder, { recursive: true });
  }
});
