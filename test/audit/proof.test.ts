import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatCheckpoint, openCheckpoint, signCheckpoint } from "../../src/audit/checkpoint.ts";
import { leafHash, MAX_PROOF, rootOf, verifyConsistency, verifyInclusion } from "../../src/audit/merkle.ts";
import { generateKey, parseSigner, parseVerifier } from "../../src/audit/note.ts";
import {
  consistencyProof,
  formatProof,
  inclusionProof,
  type ProofFile,
  parseProof,
  type ReadTile,
  rootAt,
} from "../../src/audit/proof.ts";
import { decodeTile, encodeTile, tilePath, tilesFor } from "../../src/audit/tile.ts";
import { HoldfastError, hasCode } from "../../src/core/error.ts";
import { countingEntry, NaiveTree } from "./naive-tree.ts";
import { malformed, mayRefuse, unverified } from "./refusal.ts";

/** A log with only the tiles of one size, which counts the reads. */
function logOf(tree: NaiveTree, size: number): { read: ReadTile; asked: string[] } {
  const held = new Set([...tilesFor(size)].map(tilePath));
  const made = new Map<string, Buffer>();
  const asked: string[] = [];
  const read: ReadTile = async (level, index, width) => {
    const path = tilePath({ level, index, width });
    asked.push(path);
    assert.ok(held.has(path), `${path} is not a tile of a tree of ${size}`);
    const bytes = made.get(path) ?? tree.tile(level, index, width);
    made.set(path, bytes);
    return bytes;
  };
  return { read, asked };
}

/** Like assert.deepEqual on lists of hashes, which is too slow for 100,000 of them. */
function same(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((hash, i) => Buffer.compare(hash, b[i]!) === 0);
}

test("root and proofs through tiles, as RFC 6962 defines them: small sizes and those around a tile", async () => {
  const tree = NaiveTree.counting();
  const sizes = [...Array(66).keys(), 255, 256, 257, 300];
  for (const size of sizes) {
    const { read } = logOf(tree, size);
    assert.ok(tree.hash(0, size).equals(await rootAt(size, read)));
    assert.deepEqual(await consistencyProof(0, size, read), []);
    for (let i = 0; i < size; i++) {
      assert.ok(same(await inclusionProof(i, size, read), tree.path(i, 0, size)), `leaf ${i} of ${size}`);
      assert.ok(same(await consistencyProof(i + 1, size, read), tree.proof(i + 1, 0, size)), `${i + 1} to ${size}`);
    }
  }
});

const large = NaiveTree.counting();

for (const size of [511, 4_097, 65_535, 65_536, 65_537, 70_000]) {
  test(`proofs in a tree of ${size} leaves are valid`, async () => {
    const tree = large;
    const { read, asked } = logOf(tree, size);
    const root = tree.hash(0, size);
    assert.ok(root.equals(await rootAt(size, read)));
    const edges = [0, 1, 254, 255, 256, 257, 65_534, 65_535, 65_536, size - 2, size - 1].filter((i) => i < size);
    const some = fc.sample(fc.integer({ min: 0, max: size - 1 }), 20);
    for (const i of [...edges, ...some]) {
      asked.length = 0;
      const path = await inclusionProof(i, size, read);
      assert.equal(new Set(asked).size, asked.length, "a tile is read once per proof");
      assert.deepEqual(path, tree.path(i, 0, size));
      verifyInclusion(leafHash(countingEntry(i)), i, size, path, root);
      asked.length = 0;
      const proof = await consistencyProof(i + 1, size, read);
      assert.equal(new Set(asked).size, asked.length, "a tile is read once per proof");
      assert.deepEqual(proof, tree.proof(i + 1, 0, size));
      verifyConsistency(i + 1, tree.hash(0, i + 1), size, root, proof);
    }
  });
}

test("a smaller tree's proofs come from its own partial tiles", async () => {
  const tree = NaiveTree.counting();
  const { read, asked } = logOf(tree, 1_000);
  await inclusionProof(999, 1_000, read);
  assert.deepEqual(asked.sort(), ["tile/0/003.p/232", "tile/1/000.p/3"]);
});

test("proofs in trees beyond 32 bits, up to the largest safe integer", async () => {
  const tree = NaiveTree.uniform();
  const read: ReadTile = async (level, _index, width) => {
    assert.ok(level <= 6 && width >= 1 && width <= 256);
    const hash = tree.hash(0, 256 ** level);
    return encodeTile(Array(width).fill(hash));
  };
  const sizes = fc.integer({ min: 2 ** 31, max: Number.MAX_SAFE_INTEGER });
  const places = sizes.chain((n) => fc.tuple(fc.integer({ min: 0, max: n - 1 }), fc.constant(n)));
  await fc.assert(
    fc.asyncProperty(places, async ([i, n]) => {
      assert.deepEqual(await inclusionProof(i, n, read), tree.path(i, 0, n));
      assert.deepEqual(await consistencyProof(i + 1, n, read), tree.proof(i + 1, 0, n));
      assert.ok(tree.hash(0, n).equals(await rootAt(n, read)));
    }),
    { numRuns: 30, examples: [[[0, Number.MAX_SAFE_INTEGER]], [[2 ** 52, Number.MAX_SAFE_INTEGER]]] },
  );
});

test("tiles hashed level by level are equal to the tiles by definition", () => {
  const tree = NaiveTree.counting();
  const full = decodeTile(tree.tile(0, 3, 256), 256);
  assert.deepEqual(rootOf(full), tree.hash(768, 1_024));
  assert.deepEqual(Buffer.from(decodeTile(tree.tile(1, 0, 4), 4)[3]!), tree.hash(768, 1_024));
});

test("requests that no tree can prove are refused before reading a tile", async () => {
  const { read, asked } = logOf(NaiveTree.counting(), 10);
  for (const [index, size] of [
    [10, 10],
    [0, 0],
    [-1, 10],
    [0.5, 10],
    [0, 2 ** 53],
    [Number.NaN, 10],
  ] as const) {
    await assert.rejects(inclusionProof(index, size, read), unverified);
  }
  for (const [old, size] of [
    [11, 10],
    [-1, 10],
    [0.5, 10],
    [1, 2 ** 53],
    [1, Number.NaN],
  ] as const) {
    await assert.rejects(consistencyProof(old, size, read), unverified);
  }
  await assert.rejects(rootAt(-1, read), unverified);
  assert.deepEqual(asked, []);
});

test("a tile of the wrong length is malformed, and a failing read keeps its own error", async () => {
  const short: ReadTile = async (_level, _index, width) => Buffer.alloc(width * 32 - 1);
  await assert.rejects(rootAt(300, short), malformed);
  const gone: ReadTile = async () => {
    throw new HoldfastError("vault-missing", "gone");
  };
  await assert.rejects(inclusionProof(3, 300, gone), (error) => hasCode(error, "vault-missing"));
});

test("a proof from a tile with one wrong bit is invalid", async () => {
  const tree = NaiveTree.counting();
  const size = 700;
  const root = tree.hash(0, size);
  const lie = fc.record({ level: fc.nat(1), bit: fc.nat(256 * 256 - 1), index: fc.nat(size - 1) });
  await fc.assert(
    fc.asyncProperty(lie, async ({ level, bit, index }) => {
      const read: ReadTile = async (l, n, width) => {
        const bytes = tree.tile(l, n, width);
        if (l === level && bit >> 3 < bytes.length) bytes[bit >> 3]! ^= 1 << (bit & 7);
        return bytes;
      };
      const path = await inclusionProof(index, size, read);
      const honest = tree.path(index, 0, size);
      if (path.every((hash, i) => honest[i]!.equals(hash))) return;
      assert.throws(() => verifyInclusion(tree.hash(index, index + 1), index, size, path, root), unverified);
    }),
    { numRuns: 60 },
  );
});

const key = generateKey("log.example/holdfast");
const signer = parseSigner(key.skey);
const zeros = "A".repeat(43).concat("=");
const checkpoint = signCheckpoint({ origin: signer.name, size: 3, root: Buffer.alloc(32) }, signer);

test("the exact bytes of a proof file", () => {
  const one: ProofFile = { index: 2, hashes: [Buffer.alloc(32)], checkpoint };
  const text = `c2sp.org/tlog-proof@v1\nindex 2\n${zeros}\n\n${checkpoint}`;
  assert.equal(formatProof(one), text);
  assert.deepEqual(parseProof(text), one);
  assert.deepEqual(parseProof(Buffer.from(text)), one);
  const none: ProofFile = { index: 0, hashes: [], checkpoint };
  assert.equal(formatProof(none), `c2sp.org/tlog-proof@v1\nindex 0\n\n${checkpoint}`);
  assert.deepEqual(parseProof(formatProof(none)), none);
  const extra: ProofFile = { ...one, extra: Buffer.from("more") };
  assert.equal(formatProof(extra), text.replace("index", "extra bW9yZQ==\nindex"));
  assert.deepEqual(parseProof(formatProof(extra)), extra);
});

test("a proof file contains everything needed to check an entry, given the log's key", async () => {
  const tree = NaiveTree.counting();
  const size = 300;
  const { read } = logOf(tree, size);
  const signed = signCheckpoint({ origin: signer.name, size, root: await rootAt(size, read) }, signer);
  const text = formatProof({ index: 256, hashes: await inclusionProof(256, size, read), checkpoint: signed });
  const proof = parseProof(text);
  const head = openCheckpoint(proof.checkpoint, signer.name, [parseVerifier(key.vkey)]);
  verifyInclusion(leafHash(countingEntry(256)), proof.index, head.size, proof.hashes, head.root);
  assert.throws(
    () => verifyInclusion(leafHash(countingEntry(255)), proof.index, head.size, proof.hashes, head.root),
    unverified,
  );
});

test("any other form of a proof file is refused", () => {
  const good = `c2sp.org/tlog-proof@v1\nindex 2\n${zeros}\n\n${checkpoint}`;
  const bad = [
    "",
    "\n\n",
    good.replace("@v1", "@v2"),
    ` ${good}`,
    `\ufeff${good}`,
    good.replaceAll("\n", "\r\n"),
    good.replace("index 2", "index 02"),
    good.replace("index 2", "index -2"),
    good.replace("index 2", "index"),
    good.replace("index 2", "index "),
    good.replace("index 2", "index  2"),
    good.replace("index 2", "index 2 "),
    good.replace("index 2", "Index 2"),
    good.replace("index 2", "index 9007199254740992"),
    good.replace("index 2\n", ""),
    good.replace("index 2", "extra\nindex 2"),
    good.replace("index 2", "extra \nindex 2"),
    good.replace("index 2", "extra bW9yZQ\nindex 2"),
    good.replace("index 2", "index 2\nextra bW9yZQ=="),
    good.replace("index 2", "extra bW9yZQ==\nextra bW9yZQ==\nindex 2"),
    good.replace(zeros, zeros.slice(0, -1)),
    good.replace(zeros, `${zeros.slice(0, -2)}B=`),
    good.replace(zeros, zeros.slice(4)),
    good.replace(zeros, `${zeros} `),
    good.replace(zeros, ""),
    good.replace(`${zeros}\n`, `${zeros}\n`.repeat(MAX_PROOF + 1)),
    good.replace(`${zeros}\n`, `${zeros}\n`.repeat(20_000)),
    good.slice(0, good.indexOf("\n\n") + 2),
    good.slice(0, good.indexOf("\n\n") + 1),
    good.slice(0, -1),
    good.replace(checkpoint, formatCheckpoint({ origin: "x", size: 3, root: Buffer.alloc(32) })),
    good.replace(checkpoint, checkpoint.replace("\n3\n", "\n03\n")),
    "c2sp.org/tlog-proof@v1\n".repeat(50_000),
    "\n".repeat(1_000_000),
    "x".repeat(3_000_000),
  ];
  for (const text of bad) assert.throws(() => parseProof(text), malformed, text.slice(0, 80));
  const full = good.replace(`${zeros}\n`, `${zeros}\n`.repeat(MAX_PROOF));
  assert.equal(parseProof(full).hashes.length, MAX_PROOF);
  assert.throws(() => formatProof({ index: -1, hashes: [], checkpoint }), malformed);
  assert.throws(() => formatProof({ index: 0, hashes: [Buffer.alloc(31)], checkpoint }), malformed);
  assert.throws(() => formatProof({ index: 0, hashes: [], checkpoint: "" }), malformed);
  assert.throws(() => formatProof({ index: 0, hashes: [], checkpoint, extra: Buffer.alloc(0) }), malformed);
});

test("a proof file with any bit flipped is refused or has another meaning, with one spelling", () => {
  const good = Buffer.from(formatProof({ index: 2, hashes: [Buffer.alloc(32, 1)], checkpoint }));
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bad = Buffer.from(good);
    bad[bit >> 3]! ^= 1 << (bit & 7);
    const read = mayRefuse(() => parseProof(bad));
    if (read) assert.equal(formatProof(read), bad.toString());
  }
});
