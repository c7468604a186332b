import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { Problem } from "../../src/verify/problem.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { Scene } from "./scene.ts";

test("a lock that was shortened: verify says how to set it, and is content once it is set so", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  await using scene = await Scene.of(place, await place.client());
  const path = await scene.note((await place.entries("record.stored"))[0]!.object.key);
  const note = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...note, lock: { ...note.lock, until: "2020-01-01T00:00:00Z" } }));
  const ended = await place.here("verify", ["--json"]);
  assert.equal(ended.code, 4, ended.stderr);
  assert.match(ended.stderr, /aws s3api put-object-retention .*--version-id/);
  assert.doesNotMatch(ended.stderr, /Export missing records/);
  const [{ lockDue }] = (ended.json as { clients: { found: Problem[] }[] }).clients[0]!.found as [Problem];
  assert.ok(path.endsWith(`${lockDue!.versionId}.json`));
  // What docs/OPERATING.md says to do in a directory.
  const { mode, until } = lockDue!;
  await writeFile(path, JSON.stringify({ ...note, lock: { mode, until } }));
  assert.equal((await place.here("verify", [])).code, 0);
});

test("verify says what it checked: a changed byte in a directory is found only by reading", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  await using scene = await Scene.of(place, await place.client());
  const says = async (code: number, ...args: string[]): Promise<string> => {
    const ended = await place.here("verify", args, { isTerminal: true });
    assert.equal(ended.code, code, ended.stderr);
    return ended.stderr.replaceAll(/\s+/g, " ");
  };
  assert.match(
    await says(0, "--read-data", "100"),
    /2 records and 0 files found, with the logged size, lock and digest;/,
  );
  const path = await scene.file((await place.entries("record.stored"))[0]!.object.key);
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(path, bytes);
  const unread = await says(0);
  assert.match(unread, /2 records and 0 files found, with the logged size and lock;/);
  assert.match(unread, /content not read: a change within a file is found only by --read-data;/);
  assert.doesNotMatch(unread, /digest/);
  assert.match(await says(4, "--read-data", "100"), /its content was changed/);
});
