import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Bundle,
  decodeBundle,
  decodeTile,
  encodeBundle,
  encodeTile,
  MAX_ENTRY,
  newBundles,
  newTiles,
  parseTilePath,
  type Tile,
  tilePath,
  tilesFor,
} from "../../src/audit/tile.ts";
import { malformed, mayRefuse } from "./refusal.ts";

const paths = (tiles: Iterable<Tile | Bundle>) => [...tiles].map(tilePath);

test("paths as in the specification", () => {
  assert.equal(tilePath({ level: 0, index: 1_234_067, width: 256 }), "tile/0/x001/x234/067");
  assert.equal(tilePath({ level: "entries", index: 0, width: 256 }), "tile/entries/000");
  assert.equal(tilePath({ level: 63, index: 999, width: 255 }), "tile/63/999.p/255");
  assert.equal(tilePath({ level: 2, index: 1_000, width: 1 }), "tile/2/x001/000.p/1");
  assert.equal(
    tilePath({ level: 0, index: Number.MAX_SAFE_INTEGER, width: 256 }),
    "tile/0/x009/x007/x199/x254/x740/991",
  );
});

test("a written path parses back to itself", () => {
  const tile = fc.record(
    {
      level: fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant("entries" as const)),
      index: fc.oneof(fc.nat(2_000), fc.maxSafeNat()),
      width: fc.integer({ min: 1, max: 256 }),
    },
    { noNullPrototype: true },
  ) as fc.Arbitrary<Tile | Bundle>;
  fc.assert(fc.property(tile, (t) => assert.deepEqual(parseTilePath(tilePath(t)), t)));
});

test("any other spelling of a path is refused", () => {
  const bad = [
    "",
    "tile/0",
    "tile/0/",
    "tile/0/0",
    "tile/0/00",
    "tile/0/0000",
    "tile/0/x000",
    "tile/0/x000/000",
    "tile/0/x001/x000",
    "tile/0/001/000",
    "tile/0/x1/000",
    "tile/0/x001//000",
    "tile/0/x001x/000",
    "tile/0/xx01/000",
    "tile/0/x010/x007/x199/x254/x740/991",
    "tile/0/x009/x007/x199/x254/x740/992",
    "tile/00/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/0/-01",
    "tile/x/000",
    "tile/entry/000",
    "tile/0/000.p/0",
    "tile/0/000.p/01",
    "tile/0/000.p/256",
    "tile/0/000.p/1000",
    "tile/0/000.p/",
    "tile/0/000.p",
    "tile/0/000/",
    "/tile/0/000",
    "tile/0/000\n",
    " tile/0/000",
    "tile/0/٠٠٠",
    "TILE/0/000",
    "tile/0/000.P/1",
    "tile/3/5/x123/x456/078", // Go's tlog puts the height before the level
    "tile/3/5/123/456/078",
    "tile/1/data/x003/x057/500",
    `tile/0/${"x000/".repeat(100_000)}000`,
  ];
  for (const path of bad) assert.throws(() => parseTilePath(path), malformed, path.slice(0, 40));
  const noise = fc.stringMatching(/^tile\/[0-9entris]{1,8}\/[x0-9/.p]{0,30}$/);
  fc.assert(
    fc.property(fc.oneof(noise, fc.string()), (path) => {
      const tile = mayRefuse(() => parseTilePath(path));
      if (tile) assert.equal(tilePath(tile), path);
    }),
    { numRuns: 1_000 },
  );
});

test("no path is made from invalid numbers", () => {
  for (const n of [-1, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => tilePath({ level: 0, index: n, width: 1 }), malformed);
    assert.throws(() => tilePath({ level: n, index: 0, width: 1 }), malformed);
    assert.throws(() => tilePath({ level: 0, index: 0, width: n }), malformed);
    assert.throws(() => tilesFor(n), malformed);
    assert.throws(() => newTiles(n, 1), malformed);
  }
  assert.throws(() => tilePath({ level: 64, index: 0, width: 1 }), malformed);
  assert.throws(() => tilePath({ level: 0, index: 0, width: 257 }), malformed);
  assert.throws(() => newTiles(2, 1), malformed);
  assert.throws(() => [...newBundles(2, 1)], malformed);
});

test("the tiles of a tree of 70,000 leaves", () => {
  const tile = (level: number, index: number) => `tile/${level}/${String(index).padStart(3, "0")}`;
  const expected = [
    ...Array.from({ length: 273 }, (_, i) => tile(0, i)),
    "tile/0/273.p/112",
    "tile/1/000",
    "tile/1/001.p/17",
    "tile/2/000.p/1",
  ];
  assert.equal(expected[272], "tile/0/272");
  assert.deepEqual(paths(tilesFor(70_000)), expected);
});

test("the tiles around full ones", () => {
  assert.deepEqual(paths(tilesFor(0)), []);
  assert.deepEqual(paths(tilesFor(1)), ["tile/0/000.p/1"]);
  assert.deepEqual(paths(tilesFor(255)), ["tile/0/000.p/255"]);
  assert.deepEqual(paths(tilesFor(256)), ["tile/0/000", "tile/1/000.p/1"]);
  assert.deepEqual(paths(tilesFor(257)), ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]);
  assert.deepEqual(paths(tilesFor(65_535)).slice(255), ["tile/0/255.p/255", "tile/1/000.p/255"]);
  assert.deepEqual(paths(tilesFor(65_536)).slice(255), ["tile/0/255", "tile/1/000", "tile/2/000.p/1"]);
  assert.deepEqual(paths(tilesFor(65_537)).slice(256), ["tile/0/256.p/1", "tile/1/000", "tile/2/000.p/1"]);
});

test("the tiles that a growing tree writes", () => {
  assert.deepEqual(paths(newTiles(255, 256)), ["tile/0/000", "tile/1/000.p/1"]);
  assert.deepEqual(paths(newTiles(256, 257)), ["tile/0/001.p/1"]);
  assert.deepEqual(paths(newTiles(65_535, 65_537)), ["tile/0/255", "tile/0/256.p/1", "tile/1/000", "tile/2/000.p/1"]);
  assert.deepEqual(paths(newTiles(300, 300)), []);
  assert.deepEqual(paths(newBundles(250, 513)), ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/1"]);
  assert.deepEqual(paths(newBundles(5, 5)), []);
  const largest = Number.MAX_SAFE_INTEGER;
  assert.deepEqual(paths(newTiles(largest - 1, largest)), ["tile/0/x035/x184/x372/x088/831.p/255"]);
  assert.deepEqual(tilesFor(largest).next().value, { level: 0, index: 0, width: 256 });
});

test("growing writes exactly the tiles that the new tree has and the old one lacks", () => {
  const sizes = fc.tuple(fc.nat(140_000), fc.oneof(fc.nat(600), fc.nat(70_000)));
  fc.assert(
    fc.property(sizes, ([old, more]) => {
      const had = new Set(paths(tilesFor(old)));
      const lacked = paths(tilesFor(old + more)).filter((path) => !had.has(path));
      assert.deepEqual(paths(newTiles(old, old + more)), lacked);
      const leaves = lacked.filter((path) => path.startsWith("tile/0/"));
      assert.deepEqual(
        paths(newBundles(old, old + more)),
        leaves.map((path) => path.replace("tile/0", "tile/entries")),
      );
    }),
    { numRuns: 60 },
  );
});

test("a tile is exactly its hashes", () => {
  const hashes = Array.from({ length: 256 }, (_, i) => Buffer.alloc(32, i));
  for (const width of [1, 255, 256]) {
    const bytes = encodeTile(hashes.slice(0, width));
    assert.equal(bytes.length, width * 32);
    assert.deepEqual(decodeTile(bytes, width).map(Buffer.from), hashes.slice(0, width));
    for (const other of [bytes.subarray(1), Buffer.concat([bytes, Buffer.alloc(1)]), bytes.subarray(32)]) {
      assert.throws(() => decodeTile(other, width), malformed);
    }
  }
  assert.throws(() => encodeTile([]), malformed);
  assert.throws(() => encodeTile([...hashes, hashes[0]!]), malformed);
  assert.throws(() => encodeTile([Buffer.alloc(31)]), malformed);
  assert.throws(() => decodeTile(Buffer.alloc(0), 0), malformed);
  assert.throws(() => decodeTile(Buffer.alloc(257 * 32), 257), malformed);
});

test("a bundle is its entries, each after its length", () => {
  assert.deepEqual(encodeBundle([Buffer.from("ab"), Buffer.from("")]), Buffer.from("\0\x02ab\0\0"));
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 }), (entries) => {
      const bytes = encodeBundle(entries);
      assert.deepEqual(decodeBundle(bytes, entries.length).map(Buffer.from), entries.map(Buffer.from));
      assert.throws(() => decodeBundle(bytes, entries.length + 1), malformed);
      assert.throws(() => decodeBundle(bytes, entries.length - 1), malformed);
      assert.throws(() => decodeBundle(bytes.subarray(0, -1), entries.length), malformed);
      assert.throws(() => decodeBundle(Buffer.concat([bytes, Buffer.alloc(1)]), entries.length), malformed);
    }),
  );
});

test("an entry is at most 65,535 bytes", () => {
  for (const size of [MAX_ENTRY - 1, MAX_ENTRY]) {
    const bytes = encodeBundle([Buffer.alloc(size, 7), Buffer.from("next")]);
    assert.deepEqual(
      decodeBundle(bytes, 2).map((entry) => entry.length),
      [size, 4],
    );
  }
  assert.throws(() => encodeBundle([Buffer.alloc(MAX_ENTRY + 1)]), malformed);
  const most = Array.from({ length: 256 }, () => Buffer.alloc(MAX_ENTRY));
  assert.equal(decodeBundle(encodeBundle(most), 256).length, 256);
  assert.throws(() => encodeBundle([...most, Buffer.alloc(0)]), malformed);
  assert.throws(() => encodeBundle([]), malformed);
});

test("hostile bundles and tiles are refused, never misread", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: -1, max: 300 }), (bytes, width) => {
      const entries = mayRefuse(() => decodeBundle(bytes, width));
      if (entries) assert.deepEqual(encodeBundle(entries), Buffer.from(bytes));
      const hashes = mayRefuse(() => decodeTile(bytes, width));
      if (hashes) assert.deepEqual(encodeTile(hashes), Buffer.from(bytes));
    }),
    { numRuns: 1_000 },
  );
});
