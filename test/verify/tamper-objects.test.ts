import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { RecordStored } from "../../src/audit/entry.ts";
import { Alterations, flip } from "./alter.ts";
import { isHarmless, isNamed } from "./named.ts";
import { makeScene, type Scene } from "./scene.ts";

let scene: Scene;
let stored: RecordStored[];
const kinds: Record<string, () => { key: string; other: string }> = {
  "a record": () => ({ key: stored[0]!.object.key, other: stored[1]!.object.key }),
  "a file": () => ({ key: stored[0]!.files[0]!.key, other: stored[1]!.files[0]!.key }),
};

before(async () => {
  scene = await makeScene();
  const fresh = ({ storedWith }: { storedWith?: string | undefined }) => storedWith === undefined;
  stored = (await scene.place.entries("record.stored")).filter(({ files }) => files.some(fresh));
});
after(() => scene[Symbol.asyncDispose]());

test("nothing was changed, and nothing is found", () => isHarmless(scene, async () => {}));

for (const [kind, pick] of Object.entries(kinds)) {
  describe(`${kind}, its bytes`, () => {
    test("a bit is flipped", () =>
      isNamed(scene, pick().key, async (alter) => alter.edit(await scene.file(pick().key), flip)));
    for (const [name, change] of Object.entries({
      "cut short": (bytes: Buffer) => bytes.subarray(0, -1),
      emptied: () => Buffer.alloc(0),
      "made longer": (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(1)]),
      replaced: (bytes: Buffer) => Buffer.alloc(bytes.length, 7),
    }))
      test(`${name}`, () =>
        isNamed(scene, pick().key, async (alter) => alter.edit(await scene.file(pick().key), change)));
    test("a bit is flipped without a change of length, and only a sample is read: then the sample decides", async () => {
      await using alter = new Alterations();
      await alter.edit(await scene.file(pick().key), flip);
      assert.equal((await scene.verify({ readData: 0 })).exit, 0);
    });
    test("deleted", () => isNamed(scene, pick().key, async (alter) => alter.remove(await scene.file(pick().key))));
    test("swapped with another", () =>
      isNamed(scene, [pick().key, pick().other], async (alter) => {
        const [one, other] = [await scene.file(pick().key), await scene.file(pick().other)];
        await alter.swap(one, other);
        await alter.swap(`${one}.json`, `${other}.json`);
      }));
    test("a newer version hides it", () =>
      isNamed(scene, pick().key, async (alter) => {
        const path = await scene.file(pick().key);
        await alter.create(path.replace(/1$/, "2"), await readFile(path));
      }));
    test("a directory is in its place", () =>
      isNamed(scene, pick().key, async (alter) => {
        const path = await scene.file(pick().key);
        await alter.remove(path);
        await alter.create(join(path, "x"), Buffer.alloc(0));
      }));
  });

  describe(`${kind}, its metadata`, () => {
    const note = (change: (note: { sha256: string; lock: { mode: string; until: string } | null }) => unknown) =>
      isNamed(scene, pick().key, async (alter) =>
        alter.edit(await scene.note(pick().key), (bytes) =>
          Buffer.from(JSON.stringify(change(JSON.parse(bytes.toString())))),
        ),
      );
    test("another digest", () => note((meta) => ({ ...meta, sha256: "0".repeat(64) })));
    test("no digest", () => note(({ sha256: _, ...rest }) => rest));
    test("a lock that ends sooner", () =>
      note((meta) => ({ ...meta, lock: { ...meta.lock, until: "2027-01-01T00:00:00Z" } })));
    test("no lock", () => note((meta) => ({ ...meta, lock: null })));
    test("a lock of unknown mode", () => note((meta) => ({ ...meta, lock: { ...meta.lock, mode: "none" } })));
    test("no hold at all", () => note((meta) => ({ ...meta, hold: undefined })));
    for (const [name, bytes] of Object.entries({
      emptied: "",
      garbage: "\xff\xfe",
      another: "{}",
      huge: "[".repeat(1e6),
    }))
      test(name, () =>
        isNamed(scene, pick().key, async (alter) => alter.edit(await scene.note(pick().key), () => Buffer.from(bytes))),
      );
    test("deleted: no lock is left", () =>
      isNamed(scene, pick().key, async (alter) => alter.remove(await scene.note(pick().key))));
    test("a longer lock and a hold are no problem", () =>
      isHarmless(scene, async (alter) =>
        alter.edit(await scene.note(pick().key), (bytes) => {
          const meta = JSON.parse(bytes.toString());
          return Buffer.from(
            JSON.stringify({ ...meta, hold: true, lock: { ...meta.lock, until: "2040-01-01T00:00:00Z" } }),
          );
        }),
      ));
  });

  describe(`${kind}, its plain name`, () => {
    const plain = () => join(scene.root, pick().key);
    test("deleted", () => isNamed(scene, pick().key, (alter) => alter.remove(plain())));
    test("another file of the same length", () =>
      isNamed(scene, pick().key, async (alter) => alter.replace(plain(), flip(await readFile(plain())))));
    test("a link to another object", () =>
      isNamed(scene, pick().key, (alter) => alter.point(plain(), join(scene.root, pick().other))));
    test("a copy with the same bytes, as in a restored backup, is no problem", () =>
      isHarmless(scene, async (alter) => alter.replace(plain(), await readFile(plain()))));
  });
}

test("what no entry mentions is reported, but is no problem", async () => {
  await using alter = new Alterations();
  const key = "records/ff/ffffffffffffffffffffffffffffffff/20260101T000000Z-000000000000.age";
  await alter.create(join(scene.root, ".versions", key, "00000001"), Buffer.from("left by a crash"));
  const { exit, orphans } = await scene.verify();
  assert.deepEqual([exit, orphans], [0, [key]]);
});

test("the command names the object and exits with 4", async () => {
  const { key } = stored[0]!.object;
  await using alter = new Alterations();
  await alter.edit(await scene.file(key), flip);
  const ended = await scene.place.here("verify", ["--json", "--read-data", "100"]);
  assert.equal(ended.code, 4);
  const { clients } = ended.json as { clients: { found: { key: string; entry: number }[] }[] };
  assert.deepEqual(
    clients[0]!.found.map((each) => each.key),
    [key],
  );
  assert.equal(typeof clients[0]!.found[0]!.entry, "number");
});
