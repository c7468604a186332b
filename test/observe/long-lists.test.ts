import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("a long list ends at twenty, with how many more there are and where: reconcile, relationship end", async () => {
  await using sandbox = await startSandbox({ identities: 23, files: false });
  await using place = await makeWorkplace(sandbox);

  const missing = await place.holdfast("reconcile", ["--log-format", "text"]);
  assert.equal(missing.code, 3);
  assert.equal(missing.stderr.match(/^ {12}[0-9a-f]{32}$/gm)?.length, 20);
  assert.match(missing.stderr, /^ {12}… and 3 more; --json names 23$/m);

  const csv = place.path("closed.csv");
  const strangers = Array.from({ length: 24 }, (_, index) => `${String(index).padStart(32, "0")},2026-01-01`);
  await writeFile(csv, ["subject,date", ...strangers].join("\n"));
  const args = ["end", "--csv", csv, "--json", "--log-format", "text"];
  const ended = await place.holdfast("relationship", args);
  assert.equal(ended.code, 3, ended.stderr);
  assert.equal(ended.stderr.match(/line \d+, column subject, was left out/g)?.length, 20);
  assert.match(ended.stderr, /… and 4 more; --json lists all, as `unusable`/);
  assert.equal((ended.json as { unusable: unknown[] }).unusable.length, 24);
});
