import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { Scene } from "./scene.ts";

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
