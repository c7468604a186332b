import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, link, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DeleteObjectCommand, ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { doctor } from "../../jobs/doctor.ts";
import { exportClients } from "../../jobs/export.ts";
import { purge } from "../../jobs/purge.ts";
import { listPurges } from "../../jobs/purge-list.ts";
import { verify } from "../../jobs/verify.ts";
import { session } from "../crash/aftermath.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { s3Client, withoutCeph } from "../servers/s3.ts";

const SHORT = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };

/** Every file under a folder, links and temporary files too, with the digest of what it holds. */
async function everyFile(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(
      path,
      createHash("sha256")
        .update(await readFile(path))
        .digest("hex"),
    );
  }
  return found;
}

async function storedObjects(place: Workplace): Promise<{ key: string; sha256: string }[]> {
  return (await place.entries("record.stored")).flatMap(({ object, files }) => [object, ...files]);
}

async function exported(vault: "directory" | "ceph" = "directory"): Promise<Workplace> {
  await using sandbox = await startSandbox({ identities: 3, plainImages: true });
  const place = await makeWorkplace(sandbox, { vault, client: { retention: SHORT } });
  await exportClients(await session(place), {});
  // Real locks end by the clock.
  await delay(2_100);
  return place;
}

test("a purge of a directory leaves no name and no folder with the bytes of a purged object", async () => {
  await using place = await exported();
  const root = place.path("vault", CLIENT);
  const objects = await storedObjects(place);
  const secret = new Set(objects.map(({ sha256 }) => sha256));
  const before = await everyFile(root);
  // What a killed writer and a killed listing may have left: another link, and a file that was being written.
  const [first] = objects;
  await link(join(root, first!.key), `${join(root, first!.key)}.new-0a1b2c3d`);
  await writeFile(join(root, ".versions", first!.key, ".new-0011223344556677"), await readFile(join(root, first!.key)));
  assert.ok([...before.values()].filter((digest) => secret.has(digest)).length >= 2 * objects.length);

  const done = await purge(await session(place), place.path("destroyed"));
  assert.deepEqual([done.subjects, done.failed, done.records + done.files], [3, 0, objects.length]);
  for (const [path, digest] of await everyFile(root)) {
    assert.ok(!secret.has(digest), `${path} has the bytes of a purged object`);
    assert.ok(!objects.some(({ key }) => path === join(root, key)), path);
  }
  // What stays below .versions is a note without content, so that a version's number is never given again.
  const left = [
    ...(await everyFile(join(root, ".versions/records"))).keys(),
    ...(await everyFile(join(root, ".versions/files"))).keys(),
  ];
  for (const path of left) assert.match(path, /\/\d{8}\.json$/);
  const folders = (await readdir(root)).filter((name) => name === "records" || name === "files");
  assert.deepEqual(folders, [], "empty folders with the subjects' names");
  const [report] = await verify(await session(place), { readData: 100, orphans: true });
  assert.deepEqual([report!.found, report!.orphaned], [[], []]);
});

test("what a killed run stored of someone, and no entry mentions, goes when nothing is to be left of them", async () => {
  await using place = await exported();
  const root = place.path("vault", CLIENT);
  const [first] = await storedObjects(place);
  const [kind, two, subject] = first!.key.split("/");
  const vault = await place.vault();
  const lock = { mode: "governance", until: Temporal.Now.instant().add({ seconds: 1 }) } as const;
  const orphans = [
    `records/${two}/${subject}/20260101T000000Z-000000000000.age`,
    `files/${two}/${subject}/${"ab".repeat(16)}.age`,
  ];
  const content = Buffer.from("sealed, and not logged");
  for (const orphan of orphans) await vault.put(orphan, content, { lock });
  await delay(2_100);
  assert.equal(kind, "records");
  const done = await purge(await session(place), place.path("destroyed"));
  assert.deepEqual([done.subjects, done.failed], [3, 0]);
  const secret = createHash("sha256").update(content).digest("hex");
  for (const [path, digest] of await everyFile(root)) assert.notEqual(digest, secret, path);
  const [report] = await verify(await session(place), { readData: 100, orphans: true });
  assert.deepEqual([report!.found, report!.orphaned], [[], []]);
});

test("what a killed run stored is locked still: nothing of that person goes, the others do, and a later purge ends it", async () => {
  await using place = await exported();
  const [object] = await storedObjects(place);
  const [, two, subject] = object!.key.split("/");
  const vault = await place.vault();
  const until = Temporal.Now.instant().add({ hours: 1 });
  const orphan = `records/${two}/${subject}/20260101T000000Z-000000000000.age`;
  await vault.put(orphan, Buffer.from("sealed, and not logged"), { lock: { mode: "governance", until } });
  await delay(2_100);
  const work = await session(place);
  const first = await purge(work, place.path("destroyed"));
  assert.deepEqual([first.subjects, first.failed], [2, 1]);
  assert.equal(new Set((await place.entries("record.purged")).map((entry) => entry.subject)).size, 2);
  for (const { key } of await storedObjects(place)) {
    const isTheirs = key.includes(`/${subject}/`);
    assert.equal(existsSync(join(place.path("vault", CLIENT), key)), isTheirs, key);
  }
  // The hour passes.
  const folder = place.path("vault", CLIENT, ".versions", orphan);
  const [note] = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  const text = await readFile(join(folder, note!), "utf8");
  await chmod(join(folder, note!), 0o600);
  await writeFile(join(folder, note!), text.replace(until.toString(), Temporal.Now.instant().toString()));
  const done = await purge(await session(place), place.path("destroyed-later"));
  assert.deepEqual([done.subjects, done.failed], [1, 0]);
  const [report] = await verify(await session(place), { readData: 100, orphans: true });
  assert.deepEqual([report!.found, report!.orphaned], [[], []]);
});

test("what earlier purges left under the plain name: found by verify, doctor and the list, removed by the next purge", async () => {
  await using place = await exported();
  const root = place.path("vault", CLIENT);
  const objects = await storedObjects(place);
  const bytes = new Map<string, Buffer>();
  for (const { key } of objects) bytes.set(key, await readFile(join(root, key)));
  await purge(await session(place), place.path("destroyed"));
  const put = async (key: string, content: Uint8Array): Promise<void> => {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, key), content);
  };
  // As a purge of an earlier version left them; and one that no one logged.
  const [one, two] = objects;
  await put(one!.key, bytes.get(one!.key)!);
  await put(`${two!.key}.new-0a1b2c3d`, bytes.get(two!.key)!);
  const stranger = `records/ab/${"ab".repeat(16)}/20260101T000000Z-000000000000.age`;
  await put(stranger, Buffer.from("whose"));

  const [report] = await verify(await session(place), { readData: 0, orphans: true });
  assert.deepEqual(report!.found.map(({ key }) => key).sort(), [one!.key, two!.key].sort());
  for (const { what } of report!.found) assert.match(what, /bytes are still at its normal path/);
  assert.deepEqual(
    report!.orphaned!.map(({ key }) => key),
    [stranger],
  );
  const { clients } = await doctor(await session(place), place.file);
  const found = clients[0]!.findings.filter(({ check }) => check === "purged");
  assert.deepEqual(
    found.map(({ level }) => level),
    ["failure"],
  );
  assert.match(found[0]!.text, /^2 objects/);
  const [list] = await listPurges(await session(place));
  assert.deepEqual([list!.purge, list!.left], [[], 2]);
  assert.deepEqual(await readFile(join(root, one!.key)), bytes.get(one!.key), "a list changes nothing");

  const done = await purge(await session(place), place.path("again"));
  assert.deepEqual([done.subjects, done.cleared, done.certificate], [0, 2, null]);
  const secret = new Set(objects.map(({ sha256 }) => sha256));
  for (const [path, digest] of await everyFile(root)) assert.ok(!secret.has(digest), path);
  assert.equal(await readFile(join(root, stranger), "utf8"), "whose", "not a purged object: not ours to remove");
  const [after] = await verify(await session(place), { readData: 0, orphans: true });
  assert.deepEqual(after!.found, []);
  const well = (await doctor(await session(place), place.file)).clients[0]!.findings.filter(
    ({ check }) => check === "purged",
  );
  assert.deepEqual(
    well.map(({ level }) => level),
    ["ok"],
  );
});

test("ceph: a purge leaves no version and no delete marker, as a bare client lists them", {
  skip: withoutCeph,
}, async () => {
  await using place = await exported("ceph");
  const url = new URL((await place.client()).vault.url);
  const client = s3Client();
  const listed = async (): Promise<string[]> => {
    const { Versions = [], DeleteMarkers = [] } = await client.send(
      new ListObjectVersionsCommand({ Bucket: url.host, Prefix: url.pathname.slice(1) }),
    );
    return [...Versions, ...DeleteMarkers].map(({ Key }) => Key!.slice(url.pathname.length));
  };
  const objects = await storedObjects(place);
  await client.send(new DeleteObjectCommand({ Bucket: url.host, Key: `${url.pathname.slice(1)}/${objects[0]!.key}` }));
  const before = await listed();
  for (const { key } of objects) assert.ok(before.includes(key), key);
  const done = await purge(await session(place), place.path("destroyed"));
  assert.equal(done.versions, objects.length + 1);
  assert.deepEqual(
    (await listed()).filter((key) => /^(records|files)\//.test(key)),
    [],
  );
  client.destroy();
});
