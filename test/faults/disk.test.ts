import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { mock, test } from "node:test";
import { CLIENT, makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { fillUp, smallDisk } from "./disk.ts";
import { later, makePlace } from "./place.ts";

for (const [name, path] of Object.entries({
  "the journal": /journal\/\d+\.jsonl$/,
  "the last checkpoint seen": /checkpoint\.new$/,
})) {
  test(`no space for ${name}: the run ends, and the next one continues`, async () => {
    await using sandbox = await startSandbox({ identities: 12, files: false });
    await using place = await makePlace(sandbox);
    for (const times of [1, 2, Number.POSITIVE_INFINITY]) {
      sandbox.add(1);
      using disk = fillUp(path, times);
      const ended = await place.export();
      assert.ok(disk.met > 0);
      assert.deepEqual([ended.exit, ended.code], [1, "state"]);
    }
    await place.completes();
  });
}

test("a write that fails half-way while others wait: nothing is written after it", async () => {
  await using sandbox = await startSandbox({ identities: 40, files: false });
  await using place = await makePlace(sandbox);
  // One write fails half-way, and there is space again for the next ones.
  using disk = fillUp(/journal\/\d+\.jsonl$/, 1, 4);
  const ended = await place.export();
  assert.equal(disk.met, 1);
  assert.deepEqual([ended.exit, ended.code], [1, "state"]);
  await place.completes();
});

test("no space for the catalog: the run ends, and its work is in the log", async () => {
  await using sandbox = await startSandbox({ identities: 12, files: false });
  await using place = await makePlace(sandbox);
  const { run } = StatementSync.prototype;
  let left = 25;
  mock.method(StatementSync.prototype, "run", function (this: StatementSync, ...args: Parameters<typeof run>) {
    if (this.sourceSQL === "ROLLBACK" || left-- > 0) return run.apply(this, args);
    throw Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
  });
  const ended = await place.export();
  mock.restoreAll();
  assert.deepEqual([ended.exit, ended.code], [1, "state"]);
  await place.isWhole();
  await place.completes();
});

test("the catalog is locked by another process", async () => {
  await using sandbox = await startSandbox({ identities: 4, files: false });
  await using place = await makePlace(sandbox);
  assert.equal((await place.export()).exit, 0);
  sandbox.change(2);
  const other = new DatabaseSync(place.work.path("state", CLIENT, "catalog.sqlite"));
  other.exec("BEGIN EXCLUSIVE");
  const ended = await place.export();
  assert.deepEqual([ended.exit, ended.code], [1, "state"]);
  other.exec("ROLLBACK");
  other.close();
  await place.completes();
});

for (const [name, part, code] of [
  ["the state directory", "state", "state"],
  ["a vault in a directory", "vault", "vault-rejected"],
] as const) {
  test(`a real disk that fills up under ${name} during a run`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-disk-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    using disk = smallDisk(folder, 8_192);
    if (disk === null) return t.skip("mounting is not allowed here");
    await using sandbox = await startSandbox({ identities: 60, files: false });
    await using place = await makePlace(sandbox, part === "vault" ? { vault: { url: `file://${folder}/vault` } } : {});
    if (part === "state") {
      place.work.config.state = folder;
      await place.work.configure();
    }
    let requests = 0;
    sandbox.intercept((request) => {
      if (/\/identities\/./.test(request.url!) && ++requests === 20) disk.fill();
      return false;
    });
    const ended = await place.export();
    assert.deepEqual([ended.exit, ended.code], [1, code]);
    // Nothing has changed: it fails again, without harm.
    const again = await place.export({ now: later });
    assert.deepEqual([again.exit, again.code], [1, code]);
    sandbox.intercept(undefined);
    disk.makeRoom();
    await place.completes(60, () => later().add({ minutes: 20 }));
  });
}

test("no room for a key at init: told as a full disk, with the file, and init goes on once there is room", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox, { init: false });
  {
    using _ = fillUp(/keys\/lookup$/, Number.POSITIVE_INFINITY);
    const ended = await place.here("init", [], { isTerminal: true });
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(
      ended.stderr,
      /keys\/lookup: cannot write the key to .*\/keys\/lookup \(ENOSPC\)\n {2}→ The disk is full/,
    );
  }
  await place.expect(0, "init");
});

test("no room for the last checkpoint seen: the message has the file and the code", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox);
  using _ = fillUp(/checkpoint\.new$/, Number.POSITIVE_INFINITY);
  const ended = await place.here("export", [], { isTerminal: true });
  assert.equal(ended.code, 1, ended.stderr);
  assert.match(
    ended.stderr,
    /cannot write the checkpoint .* \/.*\/state\/.*checkpoint.* \(ENOSPC\)\n {2}→ The disk is full/,
  );
});
