import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makePrivateFolder } from "../../src/io/private-folder.ts";
import { writeState } from "../../src/io/state-file.ts";

test("a private folder: created with its parents, only for this user; errors give path and code", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "holdfast-private-"));
  makePrivateFolder(join(folder.path, "a/b"));
  for (const each of ["a", "a/b"]) assert.equal(statSync(join(folder.path, each)).mode & 0o777, 0o700);
  writeFileSync(join(folder.path, "file"), "");
  for (const work of [
    () => makePrivateFolder(join(folder.path, "file/state")),
    () => writeState(join(folder.path, "file/state/last.json"), {}),
  ])
    assert.throws(work, { code: "state", message: /cannot make the folder .*\/file\/state \(ENOTDIR\)/ });
});
