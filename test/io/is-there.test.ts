import assert from "node:assert/strict";
import { mkdtempDisposable, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hasCode } from "../../src/core/error.ts";
import { fileAt } from "../../src/io/is-there.ts";
import { Unfinished } from "../../src/io/unfinished-folder.ts";

test("tells an existing path, a missing path and an unreadable path apart", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "holdfast-"));
  const at = (name: string): string => join(folder.path, name);
  await writeFile(at("file"), "12345");
  await symlink("loop", at("loop"));
  assert.equal((await fileAt(at("file")))?.size, 5);
  assert.ok((await fileAt(folder.path))?.isDirectory());
  for (const absent of ["absent", "absent/deeper", "file/below"]) assert.equal(await fileAt(at(absent)), undefined);
  for (const unknown of ["loop", "loop/below", "n".repeat(300)])
    await assert.rejects(
      fileAt(at(unknown)),
      (error: Error) => hasCode(error, "usage") && /cannot be read/.test(error.message),
    );
});

test("nothing is written to a path that cannot be checked, or over a dangling link", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "holdfast-"));
  const at = (name: string): string => join(folder.path, name);
  await symlink("nowhere", at("link"));
  await symlink("loop", at("loop"));
  for (const out of ["link", "loop/below"])
    await assert.rejects(Unfinished.file(at(out)), (error) => hasCode(error, "usage"));
});
