import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { test } from "node:test";
import { CLIENT, makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("a name in the vault's directory that is no key is an orphan; verify goes on and shows the name escaped", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const [entry] = await place.entries("record.stored");
  const stray = `${dirname(entry!.object.key)}/2026\u001b x.age`;
  await mkdir(place.path("vault", CLIENT, ".versions", stray));
  await writeFile(place.path("vault", CLIENT, ".versions", stray, "00000001"), "x");
  const ended = await place.here("verify", ["--json", "--orphans"]);
  assert.equal(ended.code, 0, ended.stderr);
  const [report] = (ended.json as { clients: { records: number; orphaned: { key: string }[] }[] }).clients;
  assert.deepEqual([report!.records, report!.orphaned.map(({ key }) => key)], [1, [stray]]);
  assert.ok(!ended.stdout.includes("\u001b") && !ended.stderr.includes("\u001b"));
});
