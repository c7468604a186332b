import assert from "node:assert/strict";
import { cp, rename, rm } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

let sandbox: Sandbox;
let place: Workplace;
let held: string;
before(async () => {
  sandbox = await startSandbox({ identities: 2, files: false });
  place = await makeWorkplace(sandbox);
  await place.export();
  held = await place.subject(sandbox.ids()[0]!);
  await cp(place.path("vault", CLIENT), place.path("before"), { recursive: true, verbatimSymlinks: true });
  const placed = await place.here("hold", ["place", "--case", "A", "--reason", "b", "--subject", held]);
  assert.equal(placed.code, 0, placed.stderr);
});
after(async () => {
  await place[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

/** Commands that change nothing. */
const readers = (): [string, ...string[]][] => [
  ["status"],
  ["hold", "list"],
  ["relationship", "list"],
  ["retrieval", "list"],
  ["retention", "purges"],
  ["report", "--out", place.path("report.html")],
  ["reconcile"],
  ["erasure", "assess", "--subject", held],
  ["export", "--dry-run"],
];

async function allEnd(other: Workplace, code: number, message: RegExp): Promise<void> {
  for (const [command, ...args] of readers()) {
    const ended = await other.here(command, args);
    assert.equal(ended.code, code, `${command} ${args.join(" ")}: ${ended.stderr}`);
    assert.match(ended.stderr, message, command);
    assert.doesNotMatch(ended.stderr, /could not check/);
  }
}

describe("a command that only reads does not believe every log that the vault shows", () => {
  test("a vault that was rolled back is code 4; another machine, which saw no log, reads it", async () => {
    await using other = await place.copy();
    await rm(other.path("vault", CLIENT), { recursive: true });
    await rename(other.path("before"), other.path("vault", CLIENT));
    await allEnd(other, 4, /is not the one this machine knows: it had \d+ entries/);
    await rm(other.path("state", CLIENT), { recursive: true });
    assert.equal((await other.here("erasure", ["assess", "--subject", held])).code, 0);
  });

  test("a vault of the same name under another log key is code 4", async () => {
    await using forged = await makeWorkplace(sandbox);
    await forged.export();
    await using other = await place.copy();
    await rm(other.path("vault", CLIENT), { recursive: true });
    await cp(forged.path("vault", CLIENT), other.path("vault", CLIENT), { recursive: true, verbatimSymlinks: true });
    await rm(other.path("state", CLIENT), { recursive: true });
    await allEnd(other, 4, /uses a different log key than/);
    await rm(other.path("keys", "log"));
    assert.equal((await other.here("hold", ["list"])).code, 0);
  });

  test("a vault that was emptied is code 4 for every command, with the same message", async () => {
    await using other = await place.copy();
    await rm(other.path("vault", CLIENT), { recursive: true });
    const message = /is empty, but this machine has seen a log there/;
    await allEnd(other, 4, message);
    for (const command of ["verify", "export", "init"]) {
      const ended = await other.here(command);
      assert.equal(ended.code, 4, `${command}: ${ended.stderr}`);
      assert.match(ended.stderr, message);
    }
  });
});
