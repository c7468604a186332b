import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { exportClients } from "../../jobs/export.ts";
import { placeHold, releaseHold } from "../../jobs/hold.ts";
import { purge } from "../../jobs/purge.ts";
import { listPurges } from "../../jobs/purge-list.ts";
import { endRelationship, reopenRelationship } from "../../jobs/relationship.ts";
import { extendAll } from "../../jobs/retention.ts";
import { verify } from "../../jobs/verify.ts";
import { session } from "../crash/aftermath.ts";
import { namesIn } from "../crash/moments.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { s3Client, withoutCeph } from "../servers/s3.ts";
import { inBucket } from "../vault/outside.ts";

const HOOK = join(import.meta.dirname, "../crash/hook.ts");
const NO_ONE = { identities: [], emails: [], references: [], subjects: [] };
const HOLD = { ...NO_ONE, case: "AZ 1/26", reason: "an inquiry" };
/**
 * Locks are short first, so that the test need not wait for a purge; then long, so that they cause no other problem.
 */
const SHORT = { keep: "PT1S", from: "relationship-end", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };
const LONG = { keep: "P1D", initialLock: "PT30M", extendWhenLessThan: "PT20M" };
const longAgo = Temporal.Now.plainDateISO("UTC").subtract({ days: 3 }).toString();

interface Killed extends AsyncDisposable {
  readonly place: Workplace;
  readonly sandbox: Sandbox;
  readonly subject: string;
}

/** Each of them has the same people and files. */
const sandboxOfOne = (): Promise<Sandbox> => startSandbox({ identities: 1, plainImages: true });

const run = (place: Workplace, env: Record<string, string>) =>
  place.holdfast("retention", ["purge", "--confirm", "--out", place.path("destroyed")], {
    node: ["--import", HOOK],
    env,
  });

async function readyToPurge(vault: "directory" | "ceph"): Promise<Workplace> {
  await using sandbox = await sandboxOfOne();
  const place = await makeWorkplace(sandbox, { vault, client: { retention: SHORT } });
  await exportClients(await session(place), {});
  const subjects = [await place.subject(sandbox.ids()[0]!)];
  await endRelationship(await session(place), { ...NO_ONE, subjects, date: longAgo });
  await delay(2_100);
  return place;
}

/** How many times a purge passes a moment with this name. */
async function countOf(name: string, ready: Workplace): Promise<number> {
  await using traced = await ready.copy();
  const trace = traced.path("moments");
  assert.equal((await run(traced, { HOLDFAST_CRASH_TRACE: trace })).code, 0);
  const moments = namesIn(await readFile(trace, "utf8"));
  assert.ok(moments.includes(name), `no ${name} in ${moments.join()}`);
  return moments.filter((each) => each === name).length;
}

async function kill(name: string, nth: "first" | "last", vault: "directory" | "ceph"): Promise<Workplace> {
  const place = await readyToPurge(vault);
  const number = nth === "first" ? 1 : await countOf(name, place);
  const when = { HOLDFAST_CRASH_BEFORE: name, HOLDFAST_CRASH_NTH: String(number) };
  assert.equal((await run(place, when)).signal, "SIGKILL");
  return place;
}

const killed = new Map<string, Promise<Workplace>>();
after(() => Promise.all(Array.from(killed.values(), async (place) => (await place)[Symbol.asyncDispose]())));

/**
 * One person's purge, killed at the first or last moment with a name. A purge in another place finds out which is the
 * last; for the first, the name suffices, since files are deleted in parallel and moments may change order. It is
 * killed once, and each test gets a copy of what is left in the directory.
 */
async function killedPurge(
  name: string,
  nth: "first" | "last",
  vault: "directory" | "ceph" = "directory",
): Promise<Killed> {
  const id = `${name} ${nth} ${vault}`;
  const left = await killed.getOrInsertComputed(id, () => kill(name, nth, vault));
  const place = vault === "directory" ? await left.copy() : left;
  const sandbox = await sandboxOfOne();
  await place.configure({ source: { url: sandbox.url } });
  return {
    ...{ place, sandbox, subject: await place.subject(sandbox.ids()[0]!) },
    [Symbol.asyncDispose]: async () => {
      await place[Symbol.asyncDispose]();
      await sandbox.close();
    },
  };
}

/** Versions on the disk, by key. */
async function onDisk(place: Workplace): Promise<string[]> {
  const root = place.path("vault", CLIENT, ".versions");
  const names = (await readdir(root, { recursive: true })).filter((name) => /^(records|files)\/.*\/\d{8}$/.test(name));
  return names.map((name) => name.replace(/\/\d{8}$/, "")).sort();
}

async function storedKeys(place: Workplace): Promise<string[]> {
  const stored = await place.entries("record.stored");
  return [...new Set(stored.flatMap(({ object, files }) => [object.key, ...files.map(({ key }) => key)]))].sort();
}

async function problems(place: Workplace): Promise<unknown[]> {
  const [report] = await verify(await session(place), { readData: 100, orphans: true });
  assert.equal(report!.unfinished, 0);
  return [...report!.found, ...report!.orphaned!];
}

/** What an officer may do between the two purges so that the copies must be kept. */
const CHANGES: Readonly<Record<string, (killed: Killed) => Promise<unknown>>> = {
  "the relationship is reopened": async ({ place, subject }) =>
    reopenRelationship(await session(place), { ...NO_ONE, subjects: [subject] }),
  "the relationship ended later": async ({ place, subject }) => {
    const date = Temporal.Now.plainDateISO("UTC").toString();
    return endRelationship(await session(place), { ...NO_ONE, subjects: [subject], date });
  },
  "the policy is longer": ({ place }) => place.configure({ retention: { keep: "P5Y" } }),
  "a hold is placed": async ({ place, subject }) => placeHold(await session(place), { ...HOLD, subjects: [subject] }),
};

describe("after a kill, the next purge checks again what the law requires", { concurrency: 2 }, () => {
  for (const [what, change] of Object.entries(CHANGES)) {
    test(`${what}: what still exists is withdrawn and stays, what was gone is logged as purged`, async () => {
      await using killed = await killedPurge("after unlink files", "first");
      const { place, subject } = killed;
      const all = await storedKeys(place);
      const there = await onDisk(place);
      assert.ok(there.length > 0 && there.length < all.length, "killed in the middle");
      await change(killed);
      const [list] = await listPurges(await session(place));
      assert.deepEqual(list!.withdraw, [subject]);

      const done = await purge(await session(place), place.path("again"));
      // The entry of a hold, or of a longer lock, names what exists: that alone removes it from the purge.
      const withdraws = /^a hold|ended later$/.test(what) ? [] : there;
      assert.equal(done.withdrawn, withdraws.length);
      assert.deepEqual(await onDisk(place), there, "something was taken that has to be kept");
      for (const key of there) assert.ok(existsSync(place.path("vault", CLIENT, key)), key);
      const begun = await place.entries("purge.begun");
      const withdrawn = (await place.entries("purge.withdrawn")).flatMap(({ keys }) => keys);
      assert.deepEqual(withdrawn.sort(), withdraws);
      const purged = (await place.entries("record.purged")).flatMap(({ objects }) => objects);
      assert.deepEqual(
        purged.map(({ key }) => key).sort(),
        all.filter((key) => !there.includes(key)),
      );
      for (const { due } of purged) assert.equal(Date.parse(due), Date.parse(begun[0]!.time));

      await place.configure({ retention: what === "the policy is longer" ? { ...LONG, keep: "P5Y" } : LONG });
      await extendAll(await session(place));
      assert.deepEqual(await problems(place), []);
      const again = await purge(await session(place), place.path("third"));
      assert.deepEqual([again.subjects, again.withdrawn], [0, 0]);
      assert.deepEqual(await onDisk(place), there);
    });
  }

  for (const how of ["with the next version", "where it is asked for"]) {
    test(`a file that it deleted is fetched and stored again ${how}, after it was withdrawn`, async () => {
      await using killed = await killedPurge("after unlink files", "first");
      const { place, sandbox, subject } = killed;
      const there = await onDisk(place);
      const lost = (await storedKeys(place)).filter((key) => !there.includes(key));
      assert.ok(lost.length > 0 && lost.every((key) => key.startsWith("files/")));
      await reopenRelationship(await session(place), { ...NO_ONE, subjects: [subject] });
      const done = await purge(await session(place), place.path("again"));
      assert.deepEqual([done.withdrawn, done.files], [there.length, lost.length]);
      await place.configure({ retention: LONG });
      if (how === "with the next version") {
        sandbox.change([0], { files: false });
        assert.equal((await place.export()).changed, 1);
      } else assert.equal((await place.export("--identity", sandbox.ids()[0]!, "--again")).again, 1);
      const again = await onDisk(place);
      for (const key of lost) {
        assert.ok(again.includes(key), `${key} is not stored again`);
        assert.ok((await place.unseal(key)).length > 0);
      }
      await extendAll(await session(place));
      assert.deepEqual(
        (await problems(place)).filter((found) => !("size" in (found as object))),
        [],
      );
    });
  }

  for (const [what, change] of [
    ["a hold", CHANGES["a hold is placed"]!],
    ["a longer lock", CHANGES["the relationship ended later"]!],
  ] as const) {
    test(`${what} names what still existed: if it is lost later, verify reports that`, async () => {
      await using killed = await killedPurge("after unlink files", "first");
      const { place } = killed;
      const there = await onDisk(place);
      const lost = there.find((key) => key.startsWith("files/")) ?? there[0]!;
      await change(killed);
      if (what === "a hold") await releaseHold(await session(place), HOLD);
      await rm(place.path("vault", CLIENT, ".versions", lost), { recursive: true });
      await rm(place.path("vault", CLIENT, lost));
      const ended = await place.here("verify", ["--json"]);
      const { clients } = ended.json as { clients: { found: { key: string; what: string }[] }[] };
      const missing = clients[0]!.found.filter((found) => found.what === "is missing").map(({ key }) => key);
      assert.deepEqual([ended.code, missing], [4, [lost]]);
    });
  }

  test("ceph: what is still in the bucket stays, listed by a bare client", { skip: withoutCeph }, async () => {
    await using killed = await killedPurge("after DELETE files", "first", "ceph");
    const { place, subject } = killed;
    const { host, pathname } = new URL((await place.client()).vault.url);
    const client = s3Client();
    const listed = async (): Promise<string[]> => {
      const folders = await Promise.all(
        ["records/", "files/"].map((folder) => inBucket(client, host, `${pathname.slice(1)}/${folder}`)),
      );
      return folders.flat().sort();
    };
    const there = await listed();
    const all = await storedKeys(place);
    assert.ok(there.length > 0 && there.length < all.length, "killed in the middle");
    await reopenRelationship(await session(place), { ...NO_ONE, subjects: [subject] });
    const done = await purge(await session(place), place.path("again"));
    assert.deepEqual([done.withdrawn, done.failed], [there.length, 0]);
    assert.deepEqual(await listed(), there);
    await place.configure({ retention: LONG });
    await extendAll(await session(place));
    assert.deepEqual(await problems(place), []);
    client.destroy();
  });

  test("if still due, it continues; if due again after a withdrawal, it starts again", async () => {
    await using killed = await killedPurge("after unlink files", "first");
    const { place, subject } = killed;
    await placeHold(await session(place), { ...HOLD, subjects: [subject] });
    await purge(await session(place), place.path("held"));
    const there = await onDisk(place);
    assert.ok(there.length > 0);
    await releaseHold(await session(place), HOLD);
    const done = await purge(await session(place), place.path("again"));
    assert.deepEqual([done.subjects, done.withdrawn, done.failed], [1, 0, 0]);
    assert.deepEqual(await onDisk(place), []);
    const begun = (await place.entries("purge.begun")).at(-1)!;
    assert.deepEqual(begun.keys.toSorted(), there);
    assert.deepEqual(await problems(place), []);
  });

  test("everything was gone and the relationship is reopened: the next export fetches the person again", async () => {
    await using killed = await killedPurge("after unlink records", "last");
    const { place, subject } = killed;
    assert.deepEqual(await onDisk(place), []);
    await reopenRelationship(await session(place), { ...NO_ONE, subjects: [subject] });
    const done = await purge(await session(place), place.path("again"));
    assert.deepEqual([done.subjects, done.withdrawn], [1, 0]);
    assert.deepEqual(
      (await place.entries("record.purged")).map(({ whole }) => whole),
      [true],
    );
    await place.configure({ retention: LONG });
    const [summary] = await exportClients(await session(place), {});
    assert.equal(summary!.new, 1);
    assert.deepEqual(await onDisk(place), await storedKeys(place));
    assert.deepEqual(await problems(place), []);
  });

  test("a new version captured before the purge continues fetches each file that may be gone", async () => {
    await using killed = await killedPurge("after unlink files", "first");
    const { place, sandbox, subject } = killed;
    const missing = (await storedKeys(place)).filter(
      (key) => !existsSync(place.path("vault", CLIENT, ".versions", key, "00000001")),
    );
    assert.ok(missing.length > 0);
    await reopenRelationship(await session(place), { ...NO_ONE, subjects: [subject] });
    await place.configure({ retention: LONG });
    sandbox.change([0]);
    const exported = await exportClients(await session(place), {}).catch((error: unknown) => error);
    assert.ok(Array.isArray(exported), String(exported));
    const newest = (await place.entries("record.stored")).at(-1)!;
    assert.ok(newest.files.length > 0);
    for (const { key, versionId } of newest.files) {
      assert.ok(existsSync(place.path("vault", CLIENT, ".versions", key, versionId)), key);
      assert.ok((await place.unseal(key, versionId)).length > 0);
    }
    await purge(await session(place), place.path("again"));
    const there = await onDisk(place);
    for (const { key } of newest.files) assert.ok(there.includes(key), key);
    await extendAll(await session(place));
    assert.deepEqual(await problems(place), []);
  });
});

test("a longer lock on the record keeps the person: files whose versions a killed purge deleted are settled all the same", async () => {
  const classes = (identifying: object) => ({
    ...{ identifying, verification: identifying, files: { keep: "PT1S", from: "exported" } },
  });
  await using sandbox = await sandboxOfOne();
  await using place = await makeWorkplace(sandbox, { client: { retention: SHORT } });
  await exportClients(await session(place), {});
  await place.configure({ retention: { classes: classes({ keep: "P1D", from: "relationship-end" }) } });
  const subjects = [await place.subject(sandbox.ids()[0]!)];
  const date = Temporal.Now.plainDateISO("UTC").toString();
  await endRelationship(await session(place), { ...NO_ONE, subjects, date });
  await delay(2_100);
  const all = await storedKeys(place);
  // Before the plain name goes, which is a link to the same bytes.
  assert.equal((await run(place, { HOLDFAST_CRASH_BEFORE: "after unlink files" })).signal, "SIGKILL");
  const there = await onDisk(place);
  assert.ok(there.length < all.length);
  // Now the record is due too, and its lock lasts until tomorrow.
  await place.configure({ retention: { classes: classes({ keep: "PT1S", from: "exported" }) } });
  await purge(await session(place), place.path("again"));
  const purged = (await place.entries("record.purged")).flatMap(({ objects }) => objects.map(({ key }) => key));
  const gone = all.filter((key) => !there.includes(key));
  assert.deepEqual(purged.sort(), gone);
  for (const key of gone) assert.ok(!existsSync(place.path("vault", CLIENT, key)), key);
  assert.deepEqual(await onDisk(place), there);
  assert.deepEqual(await problems(place), []);
});
