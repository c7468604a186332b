/**
 * The Merkle tree of RFC 6962 section 2.1 over SHA-256, and checks of its proofs (algorithms in RFC 9162 sections
 * 2.1.3.2 and 2.1.4.2; RFC 6962 does not give them).
 *
 * A hash is 32 bytes. Sizes and indices are safe integers up to 2^53 - 1, so use no bit operators on them: those
 * truncate to 32 bits.
 */
import { createHash, hash } from "node:crypto";
import { HoldfastError } from "../core/error.ts";

/** Bytes of one hash. */
export const HASH_SIZE = 32;

/** The root of the tree without leaves: SHA-256 of nothing. */
export const emptyRoot: Uint8Array = hash("sha256", "", "buffer");

const LEAF = Uint8Array.of(0);
// Hashing is synchronous, so one buffer serves every leaf that is not unusually long, and one every node.
const leaf = Buffer.alloc(8192);
const node = Buffer.alloc(1 + 2 * HASH_SIZE);
node[0] = 1;

/** The hash of one entry: SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array): Buffer {
  if (entry.length >= leaf.length) return createHash("sha256").update(LEAF).update(entry).digest();
  leaf.set(entry, 1);
  return hash("sha256", leaf.subarray(0, 1 + entry.length), "buffer");
}

/** The hash over two subtrees: SHA-256(0x01 || left || right). Throws `malformed` unless both are 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  if (left.length !== HASH_SIZE || right.length !== HASH_SIZE) {
    throw new HoldfastError("malformed", `a tree hash is not ${HASH_SIZE} bytes`);
  }
  node.set(left, 1);
  node.set(right, 1 + HASH_SIZE);
  return hash("sha256", node, "buffer");
}

/**
 * The root over a row of subtrees of equal height, usually leaves. Joining neighbours level by level, and passing an
 * odd last one up unchanged, gives the same tree as splitting at the largest power of two below n.
 */
export function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes;
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < row.length; i += 2) above.push(nodeHash(row[i]!, row[i + 1]!));
    if (row.length % 2 === 1) above.push(row.at(-1)!);
    row = above;
  }
  const root = row[0] ?? emptyRoot;
  if (root.length !== HASH_SIZE) throw new HoldfastError("malformed", `a tree hash is not ${HASH_SIZE} bytes`);
  return root;
}

/**
 * Checks that the leaf with this hash is at `index` in the tree of `size` leaves with this root. All arguments may be
 * untrusted, but the result is only meaningful for a trusted root. Throws `unverified`.
 */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): void {
  if (!isCount(index) || !isCount(size) || index >= size) throw unverified("inclusion", "index outside the tree");
  checkHashes("inclusion", [leaf, root], proof);
  let fn = index;
  let sn = size - 1;
  let r = leaf;
  for (const p of proof) {
    if (sn === 0) throw unverified("inclusion", "too long");
    if (isOdd(fn) || fn === sn) {
      r = nodeHash(p, r);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      r = nodeHash(r, p);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn !== 0) throw unverified("inclusion", "too short");
  if (!isEqual(r, root)) throw unverified("inclusion", "root differs");
}

/**
 * Checks that the tree of `size2` leaves begins with the tree of `size1` leaves: nothing was changed or removed. Equal
 * sizes need equal roots and an empty proof. Every tree begins with the empty tree: the proof is empty, and its root is
 * still checked. The result is only meaningful if both roots are trusted. Throws `unverified`.
 */
export function verifyConsistency(
  size1: number,
  root1: Uint8Array,
  size2: number,
  root2: Uint8Array,
  proof: readonly Uint8Array[],
): void {
  if (!isCount(size1) || !isCount(size2) || size1 > size2) throw unverified("consistency", "sizes out of order");
  checkHashes("consistency", [root1, root2], proof);
  if (size1 === 0 && !isEqual(root1, emptyRoot)) throw unverified("consistency", "root of the empty tree differs");
  if (size1 === size2 && !isEqual(root1, root2)) throw unverified("consistency", "roots of one size differ");
  if (size1 === 0 || size1 === size2) {
    if (proof.length !== 0) throw unverified("consistency", "too long");
    return;
  }
  let fn = size1 - 1;
  let sn = size2 - 1;
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
  // If size1 is a power of two, the old root is a node of the new tree, and the proof omits it.
  const [start, ...rest] = fn === 0 ? [root1, ...proof] : proof;
  if (start === undefined) throw unverified("consistency", "too short");
  let fr = start;
  let sr = start;
  for (const c of rest) {
    if (sn === 0) throw unverified("consistency", "too long");
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(c, fr);
      sr = nodeHash(c, sr);
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = nodeHash(sr, c);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn !== 0) throw unverified("consistency", "too short");
  if (!isEqual(fr, root1)) throw unverified("consistency", "old root differs");
  if (!isEqual(sr, root2)) throw unverified("consistency", "new root differs");
}

/** The most hashes that a proof can have: one per bit of a safe integer, plus one. */
export const MAX_PROOF = 54;

function checkHashes(kind: string, ends: readonly Uint8Array[], proof: readonly Uint8Array[]): void {
  if (proof.length > MAX_PROOF) throw unverified(kind, "too long");
  const isHash = (h: Uint8Array) => h.length === HASH_SIZE;
  if (!ends.every(isHash) || !proof.every(isHash)) throw unverified(kind, "hash of wrong length");
}

function unverified(kind: string, why: string): HoldfastError {
  return new HoldfastError("unverified", `the ${kind} proof is invalid: ${why}`);
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function isOdd(n: number): boolean {
  return n % 2 === 1;
}

function half(n: number): number {
  return Math.floor(n / 2);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
