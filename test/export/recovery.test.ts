import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFile, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { generateKey } from "../../src/audit/note.ts";
import { fingerprint } from "../../src/config/recipients.ts";
import { startSandbox } from "../sandbox/server.ts";
import { CLIENT, makeAgeKey, makeWorkplace, type Workplace } from "./workplace.ts";

/** Everything under a folder, by content: equal means that nothing was written. */
async function contents(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true }).catch(() => [])).sort();
  return Promise.all(
    names.map(async (name) => {
      const path = `${folder}/${name}`;
      if ((await stat(path)).isDirectory()) return name;
      return `${name} ${createHash("sha256")
        .update(await readFile(path))
        .digest("hex")}`;
    }),
  );
}

test("the catalog and the whole state directory are disposable", async (t) => {
  await using sandbox = await startSandbox({ identities: 10, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  sandbox.change(2);
  await place.export();
  const catalog = place.path("state", CLIENT, "catalog.sqlite");
  const objects = async () =>
    (await contents(place.path("vault", CLIENT, ".versions"))).filter((n) => /\.age\//.test(n));
  const kept = await objects();

  const losses: Record<string, () => Promise<unknown>> = {
    "the catalog is deleted": () => rm(catalog),
    "the state directory is deleted": () => rm(place.path("state"), { recursive: true }),
    "the catalog is garbage": () => writeFile(catalog, "garbage ".repeat(2000)),
    "the catalog is garbage behind its first page": async () => {
      const { size } = await stat(catalog);
      assert.ok(size > 8192);
      const file = await open(catalog, "r+");
      await file.write(Buffer.alloc(size - 4096, 0x5a), 0, size - 4096, 4096);
      await file.close();
    },
    "the catalog is an older one": async () => {
      await copyFile(place.path("older"), catalog);
    },
    "the catalog is another client's": async () => {
      await using other = await makeWorkplace(sandbox);
      await other.export();
      await copyFile(other.path("state", CLIENT, "catalog.sqlite"), catalog);
    },
  };
  await copyFile(catalog, place.path("older"));
  await place.export();
  for (const [name, lose] of Object.entries(losses)) {
    await t.test(name, async () => {
      await rm(`${catalog}-wal`, { force: true });
      await rm(`${catalog}-shm`, { force: true });
      await lose();
      sandbox.requests.clear();
      const summary = await place.export();
      assert.deepEqual(
        [summary.new, summary.changed, summary.unchanged, summary.gone, summary.files],
        [0, 0, 10, 0, 0],
        JSON.stringify(summary),
      );
      assert.equal(sandbox.requests.of("file"), 0);
      assert.deepEqual(await objects(), kept);
    });
  }

  await t.test("rebuild makes the same catalog from the log alone", async () => {
    await rm(place.path("state"), { recursive: true });
    const [made] = await place.expect<{ subjects: number; versions: number; entries: number }>(0, "rebuild");
    assert.deepEqual([made!.subjects, made!.versions, made!.entries], [10, 12, (await place.entries()).length]);
    await place.expect(0, "verify", "--read-data", "100");
  });
});

test("a key that is not the vault's is refused before anything is written", async (t) => {
  await using sandbox = await startSandbox({ identities: 4, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  sandbox.change(2);
  const refused = async (code: number, command = "export") => {
    const before = await contents(place.folder);
    const ended = await place.here(command);
    assert.equal(ended.code, code, ended.stderr);
    assert.ok(ended.log.at(-1)!.hint, "says how to fix it");
    assert.deepEqual(await contents(place.folder), before);
  };
  const foreign = {
    lookup: "ab".repeat(32),
    log: generateKey(`${CLIENT}.example/holdfast`).skey,
  };
  for (const [name, key] of Object.entries(foreign)) {
    await t.test(`another ${name} key`, async () => {
      const own = await readFile(place.path("keys", name));
      await writeFile(place.path("keys", name), key);
      await refused(2);
      await writeFile(place.path("keys", name), own);
    });
    await t.test(`no ${name} key`, async () => {
      await copyFile(place.path("keys", name), place.path(name));
      await rm(place.path("keys", name));
      await refused(2);
      await copyFile(place.path(name), place.path("keys", name));
      await rm(place.path(name));
    });
  }
  await t.test("another client's vault", async () => {
    await place.configure({ id: "other-bank" });
    await refused(2);
    await place.configure({ id: CLIENT });
  });
  await t.test("no vault there, though this machine has seen its log", async () => {
    await place.configure({ vault: { url: "file:./vault/none" } });
    for (const command of ["export", "verify", "rebuild"]) await refused(4, command);
    await place.configure({ vault: { url: `file:./vault/${CLIENT}` } });
  });
  assert.equal((await place.export()).changed, 2);
});

test("new recipients: logged once, and what is sealed from then on opens with their key", async () => {
  await using sandbox = await startSandbox({ identities: 4, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const successor = await makeAgeKey(place.path("keys/successor.txt"));
  await place.configure({ recipients: [successor.recipient, place.escrow.recipient] });
  sandbox.change([0, 1]);
  await place.export();
  await place.export();
  const changed = await place.entries("recipients.changed");
  const prints = ({ officer, escrow }: Pick<Workplace, "officer" | "escrow">) =>
    [officer, escrow].map(({ recipient }) => fingerprint(recipient)).sort();
  assert.deepEqual(
    changed.map(({ from, to }) => [from.toSorted(), to.toSorted()]),
    [[prints(place), prints({ officer: successor, escrow: place.escrow })]],
  );
  const entries = await place.entries("record.stored");
  const [first, last] = [entries[0]!, entries.at(-1)!];
  assert.deepEqual(last.recipients.toSorted(), prints({ officer: successor, escrow: place.escrow }));
  for (const key of [successor, place.escrow]) assert.ok(await place.record(last, key));
  await assert.rejects(place.record(last, place.officer), { code: "key" });
  assert.ok(await place.record(first, place.officer));
});
