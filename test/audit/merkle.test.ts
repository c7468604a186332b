import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  emptyRoot,
  HASH_SIZE,
  leafHash,
  MAX_PROOF,
  nodeHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from "../../src/audit/merkle.ts";
import { hasCode } from "../../src/core/error.ts";
import { NaiveTree } from "./naive-tree.ts";
import { malformed, unverified } from "./refusal.ts";

interface InclusionCase {
  file: string;
  leafIdx: string;
  treeSize: string;
  root: string;
  leafHash: string;
  proof: string[];
  wantErr: boolean;
}

interface ConsistencyCase {
  file: string;
  size1: string;
  size2: string;
  root1: string;
  root2: string;
  proof: string[];
  wantErr: boolean;
}

const vectors = (name: string) => JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), "utf8"));
const bytes = (base64: string) => Buffer.from(base64, "base64");

/** Whether the check passes. A failure must have the expected code. */
function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    assert.ok(hasCode(error, "unverified"), String(error));
    return false;
  }
}

test("published roots over eight leaves", () => {
  const { leaves, roots } = vectors("merkle-roots.json") as { leaves: string[]; roots: string[] };
  const hashes = leaves.map((leaf) => leafHash(Buffer.from(leaf, "hex")));
  for (const [i, root] of roots.entries()) {
    assert.equal(Buffer.from(rootOf(hashes.slice(0, i + 1))).toString("hex"), root);
  }
  const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  assert.equal(Buffer.from(emptyRoot).toString("hex"), empty);
  assert.deepEqual(rootOf([]), emptyRoot);
});

test("published inclusion proofs, good and bad", () => {
  const cases = vectors("merkle-inclusion.json") as InclusionCase[];
  assert.equal(cases.length, 98);
  for (const c of cases) {
    const check = () =>
      verifyInclusion(bytes(c.leafHash), Number(c.leafIdx), Number(c.treeSize), c.proof.map(bytes), bytes(c.root));
    assert.equal(passes(check), !c.wantErr, c.file);
  }
});

test("published consistency proofs, good and bad", () => {
  const cases = vectors("merkle-consistency.json") as ConsistencyCase[];
  assert.equal(cases.length, 98);
  for (const c of cases) {
    const check = () =>
      verifyConsistency(Number(c.size1), bytes(c.root1), Number(c.size2), bytes(c.root2), c.proof.map(bytes));
    // Two published cases accept any bytes as roots of trees of equal size. Here a root must be 32 bytes.
    const isHash = bytes(c.root1).length === HASH_SIZE;
    assert.equal(passes(check), !c.wantErr && isHash, c.file);
  }
  assert.equal(cases.filter((c) => !c.wantErr && bytes(c.root1).length !== HASH_SIZE).length, 2);
});

test("proofs of a log in the wild: Certificate Transparency, 961,984,013 leaves", () => {
  const v = vectors("merkle-argon2020.json");
  const root = bytes(v.sha256_root_hash);
  const leaf = leafHash(bytes(v.leaf_input));
  const path = v.audit_path.map(bytes);
  verifyInclusion(leaf, v.leaf_index, v.tree_size, path, root);
  assert.throws(() => verifyInclusion(leaf, v.leaf_index + 1, v.tree_size, path, root), unverified);
  const old = bytes(v.first_root_hash);
  const proof = v.consistency.map(bytes);
  verifyConsistency(v.first, old, v.tree_size, root, proof);
  assert.throws(() => verifyConsistency(v.first + 1, old, v.tree_size, root, proof), unverified);
});

test("root, inclusion and consistency as RFC 6962 defines them, every index and size up to 300", () => {
  const tree = NaiveTree.counting();
  const leaves = Array.from({ length: 300 }, (_, i) => tree.hash(i, i + 1));
  for (let size = 0; size <= 300; size++) {
    const root = tree.hash(0, size);
    assert.ok(root.equals(rootOf(leaves.slice(0, size))));
    for (let i = 0; i < size; i++) verifyInclusion(leaves[i]!, i, size, tree.path(i, 0, size), root);
    for (let old = 1; old <= size; old++)
      verifyConsistency(old, tree.hash(0, old), size, root, tree.proof(old, 0, size));
  }
});

test("sizes beyond 32 bits, up to the largest safe integer", () => {
  const tree = NaiveTree.uniform();
  const size = fc.integer({ min: 2 ** 31, max: Number.MAX_SAFE_INTEGER });
  const pair = size.chain((n) => fc.tuple(fc.integer({ min: 1, max: n - 1 }), fc.constant(n)));
  fc.assert(
    fc.property(pair, ([m, n]) => {
      verifyInclusion(tree.hash(m, m + 1), m, n, tree.path(m, 0, n), tree.hash(0, n));
      verifyConsistency(m, tree.hash(0, m), n, tree.hash(0, n), tree.proof(m, 0, n));
    }),
    { numRuns: 50, examples: [[[1, Number.MAX_SAFE_INTEGER]], [[2 ** 52, Number.MAX_SAFE_INTEGER]]] },
  );
});

test("no altered proof passes: a flipped bit, a hash removed, added or replaced", () => {
  const tree = NaiveTree.counting();
  const place = fc
    .integer({ min: 2, max: 2_000 })
    .chain((n) => fc.tuple(fc.integer({ min: 1, max: n - 1 }), fc.constant(n)));
  const change = fc.record({ kind: fc.constantFrom("flip", "out", "in", "swap"), at: fc.nat(), bit: fc.nat(255) });
  fc.assert(
    fc.property(place, change, ([m, n], c) => {
      const root = tree.hash(0, n);
      const path = altered(tree.path(m, 0, n), c);
      if (path) assert.throws(() => verifyInclusion(tree.hash(m, m + 1), m, n, path, root), unverified);
      const proof = altered(tree.proof(m, 0, n), c);
      if (proof) assert.throws(() => verifyConsistency(m, tree.hash(0, m), n, root, proof), unverified);
    }),
    { numRuns: 500 },
  );
});

function altered(proof: Buffer[], c: { kind: string; at: number; bit: number }): Buffer[] | undefined {
  const at = c.at % (proof.length + 1);
  if (c.kind === "in") return proof.toSpliced(at, 0, Buffer.alloc(32, c.bit));
  if (at === proof.length) return undefined;
  if (c.kind === "out") return proof.toSpliced(at, 1);
  const hash = Buffer.from(proof[at]!);
  hash[c.bit >> 3]! ^= 1 << (c.bit & 7);
  if (c.kind === "flip") return proof.with(at, hash);
  const other = (at + 1) % proof.length;
  return proof[at]!.equals(proof[other]!) ? undefined : proof.with(at, proof[other]!).with(other, proof[at]!);
}

test("a proof is valid only for its index, sizes and roots", () => {
  const tree = NaiveTree.counting();
  for (let n = 2; n <= 40; n++) {
    for (let m = 1; m < n; m++) {
      const [leaf, root, old] = [tree.hash(m, m + 1), tree.hash(0, n), tree.hash(0, m)];
      for (let other = 0; other < n; other++) {
        if (other !== m) assert.throws(() => verifyInclusion(leaf, other, n, tree.path(m, 0, n), root), unverified);
        if (other !== m) assert.throws(() => verifyConsistency(other, old, n, root, tree.proof(m, 0, n)), unverified);
      }
      assert.throws(() => verifyConsistency(m, root, n, old, tree.proof(m, 0, n)), unverified);
    }
  }
});

test("each root is checked, and no root allows a longer proof", () => {
  const tree = NaiveTree.counting();
  const wrong = Buffer.alloc(32, 1);
  for (let n = 2; n <= 20; n++) {
    for (let m = 1; m < n; m++) {
      const [root, old, proof] = [tree.hash(0, n), tree.hash(0, m), tree.proof(m, 0, n)];
      assert.throws(() => verifyConsistency(m, wrong, n, root, proof), unverified);
      assert.throws(() => verifyConsistency(m, old, n, wrong, proof), unverified);
      // The roots that a verifier would compute if it continued past the top.
      const above = (below: Uint8Array) => nodeHash(wrong, below);
      const [leaf, path] = [tree.hash(m, m + 1), tree.path(m, 0, n)];
      assert.throws(() => verifyInclusion(leaf, m, n, [...path, wrong], above(root)), unverified);
      assert.throws(() => verifyConsistency(m, above(old), n, above(root), [...proof, wrong]), unverified);
    }
  }
  const leaf = tree.hash(0, 1);
  assert.throws(() => verifyInclusion(leaf, 0, 1, [wrong], nodeHash(wrong, leaf)), unverified);
});

test("the empty tree begins every tree, if its root is the empty root and the proof is empty", () => {
  const root = leafHash(Buffer.from("x"));
  verifyConsistency(0, emptyRoot, 0, emptyRoot, []);
  verifyConsistency(0, emptyRoot, 1, root, []);
  assert.throws(() => verifyConsistency(0, root, 1, root, []), unverified);
  assert.throws(() => verifyConsistency(0, root, 0, root, []), unverified);
  assert.throws(() => verifyConsistency(0, emptyRoot, 0, root, []), unverified);
  assert.throws(() => verifyConsistency(0, emptyRoot, 1, root, [root]), unverified);
});

test("invalid sizes, indices and hashes are refused", () => {
  const h = leafHash(Buffer.alloc(0));
  const short = h.subarray(1);
  for (const n of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.throws(() => verifyInclusion(h, n, 2, [h], h), unverified);
    assert.throws(() => verifyInclusion(h, 0, n, [h], h), unverified);
    assert.throws(() => verifyConsistency(n, h, 2, h, [h]), unverified);
    assert.throws(() => verifyConsistency(1, h, n, h, [h]), unverified);
  }
  verifyInclusion(h, 0, 1, [], h);
  assert.throws(() => verifyInclusion(short, 0, 1, [], short), unverified);
  assert.throws(() => verifyConsistency(1, short, 1, short, []), unverified);
  assert.throws(() => verifyInclusion(h, 0, 2, [short], h), unverified);
  assert.throws(() => verifyInclusion(h, 0, 2, Array(MAX_PROOF + 1).fill(h), h), unverified);
  assert.throws(() => verifyConsistency(1, h, 2, h, Array(1_000_000).fill(h)), unverified);
  assert.throws(() => nodeHash(h, short), malformed);
  assert.throws(() => nodeHash(Buffer.concat([h, h]), h), malformed);
  assert.throws(() => rootOf([short]), malformed);
  assert.throws(() => rootOf([h, h, short]), malformed);
});
