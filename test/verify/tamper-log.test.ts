import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Frontier } from "../../src/audit/frontier.ts";
import { leafHash } from "../../src/audit/merkle.ts";
import { decodeBundle, encodeBundle, TILE_WIDTH } from "../../src/audit/tile.ts";
import { CHECKPOINT } from "../../src/vault/layout.ts";
import { type Alterations, flip } from "./alter.ts";
import { isHarmless, isNamed } from "./named.ts";
import { makeScene, type Scene } from "./scene.ts";

let scene: Scene;
/** Width of the last bundle and the last tile, which are not full. */
let width: number;

before(async () => {
  scene = await makeScene();
  width = (await scene.place.log()).head.size % TILE_WIDTH;
});
after(() => scene[Symbol.asyncDispose]());

const pieces: Record<string, () => { key: string; other: string }> = {
  "a full tile of level 0": () => ({ key: "audit/tile/0/000", other: "audit/tile/0/001" }),
  "the partial tile of level 0": () => ({ key: `audit/tile/0/002.p/${width}`, other: "audit/tile/0/000" }),
  "the tile of level 1": () => ({ key: "audit/tile/1/000.p/2", other: "audit/tile/0/001" }),
  "a full bundle": () => ({ key: "audit/tile/entries/000", other: "audit/tile/entries/001" }),
  "the partial bundle": () => ({ key: `audit/tile/entries/002.p/${width}`, other: "audit/tile/entries/000" }),
};

for (const [kind, pick] of Object.entries(pieces)) {
  describe(kind, () => {
    const edited = (change: (bytes: Buffer) => Uint8Array) =>
      isNamed(scene, pick().key, async (alter) => alter.edit(await scene.file(pick().key), change));
    test("a bit is flipped", () => edited(flip));
    test("its last byte is removed", () => edited((bytes) => bytes.subarray(0, -1)));
    test("it is cut by a whole hash", () => edited((bytes) => bytes.subarray(0, -32)));
    test("emptied", () => edited(() => Buffer.alloc(0)));
    test("made longer", () => edited((bytes) => Buffer.concat([bytes, bytes])));
    test("made huge", () => edited(() => Buffer.alloc(20_000_000)));
    test("deleted", () => isNamed(scene, pick().key, async (alter) => alter.remove(await scene.file(pick().key))));
    test("swapped with another", () =>
      isNamed(scene, [pick().key, pick().other], async (alter) =>
        alter.swap(await scene.file(pick().key), await scene.file(pick().other)),
      ));
    test("a bit is flipped, and its metadata is adapted", () =>
      isNamed(scene, pick().key, async (alter) => {
        // Like a newer version in a bucket, with its own digest.
        const bytes = flip(await readFile(await scene.file(pick().key)));
        await hide(alter, pick().key, bytes);
      }));
    test("its metadata has another digest", () =>
      isNamed(scene, pick().key, async (alter) =>
        alter.edit(await scene.note(pick().key), noted({ sha256: "0".repeat(64) })),
      ));
    test("its plain name leads to another file", () =>
      isNamed(scene, pick().key, (alter) => alter.point(join(scene.root, pick().key), join(scene.root, pick().other))));
    test("its plain name is behind, as after a crash: no problem", () =>
      isHarmless(scene, (alter) => alter.remove(join(scene.root, pick().key))));
  });
}

test("the proof of a record is locked as long as the record", async () => {
  for (const key of ["audit/tile/entries/000", "audit/tile/0/000", "audit/tile/1/000.p/2", CHECKPOINT])
    for (const lock of [null, { mode: "governance", until: "2020-01-01T00:00:00Z" }])
      await isNamed(scene, key, async (alter) => alter.edit(await scene.note(key), noted({ lock })));
});

describe("entries", () => {
  const rebundled = (change: (entries: Uint8Array[]) => Uint8Array[]) =>
    isNamed(scene, "audit/tile/entries/000", async (alter) => {
      const bytes = await readFile(await scene.file("audit/tile/entries/000"));
      await hide(alter, "audit/tile/entries/000", encodeBundle(change(decodeBundle(bytes, TILE_WIDTH))));
    });
  test("one was changed", () =>
    rebundled((all) =>
      all.with(
        7,
        Buffer.from(
          Buffer.from(all[7]!)
            .toString()
            .replace(/\d\d\d\dZ/, "0000Z"),
        ),
      ),
    ));
  test("two were swapped", () => rebundled((all) => all.with(3, all[4]!).with(4, all[3]!)));
  test("one was replaced by another", () => rebundled((all) => all.with(3, all[4]!)));
  test("one was removed", () => rebundled((all) => all.toSpliced(5, 1)));
  test("one is not an entry", () => rebundled((all) => all.with(0, Buffer.from("{}"))));
});

describe("two changes at once", () => {
  test("in different bundles and tiles: each is named", () =>
    isNamed(scene, ["audit/tile/entries/000", "audit/tile/0/001"], async (alter) => {
      for (const key of ["audit/tile/entries/000", "audit/tile/0/001"])
        await hide(alter, key, flip(await readFile(await scene.file(key))));
    }));
  test("bundle and tile of the same entries are gone", () =>
    isNamed(scene, ["audit/tile/entries/000", "audit/tile/0/000"], async (alter) => {
      for (const key of ["audit/tile/entries/000", "audit/tile/0/000"]) await alter.remove(await scene.file(key));
    }));
  test("bundle, tile and the levels above agree with each other, but not with the checkpoint", () =>
    isNamed(scene, CHECKPOINT, async (alter) => {
      const bytes = await readFile(await scene.file("audit/tile/entries/000"));
      const entries = decodeBundle(bytes, TILE_WIDTH).with(3, Buffer.from("{}"));
      const second = decodeBundle(await readFile(await scene.file("audit/tile/entries/001")), TILE_WIDTH);
      await hide(alter, "audit/tile/entries/000", encodeBundle(entries));
      for (const { path, bytes: tile } of new Frontier().append([...entries, ...second].map(leafHash)))
        await hide(alter, `audit/${path}`, tile);
    }));
});

function noted(change: object): (bytes: Buffer) => Buffer {
  return (bytes) => Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), ...change }));
}

/** Stores a newer version, with metadata and lock, like the store. */
async function hide(alter: Alterations, key: string, bytes: Uint8Array): Promise<void> {
  const newest = await scene.file(key);
  const next = newest.replace(/\d+$/, (digits) => String(Number(digits) + 1).padStart(8, "0"));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  await alter.create(next, bytes);
  await alter.create(`${next}.json`, noted({ sha256 })(await readFile(`${newest}.json`)));
  await alter.point(join(scene.root, key), next);
}
