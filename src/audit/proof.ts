/**
 * Builds proofs from tiles, as a tlog-tiles client does, and reads and writes proof files (C2SP tlog-proof).
 *
 * Tiles hold every eighth level of the tree; the levels between are computed from a tile's row. Tiles are untrusted
 * bytes of the right length and are not authenticated here. A proof from a forged tile fails to verify, and a root from
 * one differs from the checkpoint's: the caller must check that.
 */
import { HoldfastError } from "../core/error.ts";
import { parseBase64, parseDecimal, parseText } from "./canonical.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { emptyRoot, HASH_SIZE, MAX_PROOF, nodeHash, rootOf } from "./merkle.ts";
import { MAX_SIGNED_NOTE, parseSignedNote } from "./note.ts";
import { decodeTile, TILE_WIDTH } from "./tile.ts";

/**
 * Gives the bytes of one tile, `width` × 32. `width` is the largest that a tree of this size has: the full tile, or the
 * partial tile of exactly that size. Called once per tile and proof, for several tiles at a time. Its errors pass
 * through; bytes of another length are `malformed`.
 */
export type ReadTile = (level: number, index: number, width: number) => Promise<Uint8Array>;

/** A cache of subtree hashes for making many proofs in one tree: neighbours share most of them. */
export type Subtrees = Map<string, Promise<Uint8Array>>;

/** Size of that cache: the subtrees of a few tiles. */
const SUBTREES = 4096;

/**
 * Proof that leaf `index` is in the tree of `size` leaves: sibling hashes, leaf to root (RFC 6962 section 2.1.1).
 * Throws `unverified` if the tree has no such leaf.
 * @param known cache for a tree of the same size; emptied when full
 */
export async function inclusionProof(
  index: number,
  size: number,
  tiles: ReadTile,
  known: Subtrees = new Map(),
): Promise<Uint8Array[]> {
  if (known.size > SUBTREES) known.clear();
  if (!isCount(index) || !isCount(size) || index >= size) throw unprovable("no such leaf");
  const path: Range[] = [];
  let [low, high] = [0, size];
  while (high - low > 1) {
    const middle = low + powerBelow(high - low);
    path.push(index < middle ? [middle, high] : [low, middle]);
    if (index < middle) high = middle;
    else low = middle;
  }
  return hashAll(path.reverse(), size, tiles, known);
}

/**
 * Proof that the tree of `size2` leaves begins with the tree of `size1` (RFC 6962 section 2.1.2). Empty for equal sizes
 * and for an empty first tree. Throws `unverified` unless 0 <= size1 <= size2.
 */
export async function consistencyProof(size1: number, size2: number, tiles: ReadTile): Promise<Uint8Array[]> {
  if (!isCount(size1) || !isCount(size2) || size1 > size2) throw unprovable("sizes out of order");
  if (size1 === 0) return [];
  const path: Range[] = [];
  let [low, high] = [0, size2];
  while (high > size1) {
    const middle = low + powerBelow(high - low);
    path.push(size1 <= middle ? [middle, high] : [low, middle]);
    if (size1 <= middle) high = middle;
    else low = middle;
  }
  // The rest ends where the old tree ends. If it is the old tree, the verifier already has its root.
  if (low > 0) path.push([low, high]);
  return hashAll(path.reverse(), size2, tiles);
}

/** The root of the tree of `size` leaves. */
export async function rootAt(size: number, tiles: ReadTile): Promise<Uint8Array> {
  if (!isCount(size)) throw unprovable("no such size");
  if (size === 0) return emptyRoot;
  const [root] = await hashAll([[0, size]], size, tiles);
  return root!;
}

/** Leaves from `low` up to, not including, `high`. */
type Range = readonly [low: number, high: number];

/** Hashes over ranges that are nodes of the tree of `size`. */
async function hashAll(
  ranges: readonly Range[],
  size: number,
  read: ReadTile,
  subtrees: Subtrees = new Map(),
): Promise<Uint8Array[]> {
  const rows = new Map<string, Promise<Uint8Array[]>>();

  function row(level: number, index: number): Promise<Uint8Array[]> {
    const key = `${level}/${index}`;
    const known = rows.get(key);
    if (known !== undefined) return known;
    const inLevel = Math.floor(size / TILE_WIDTH ** level);
    const width = Math.min(TILE_WIDTH, inLevel - index * TILE_WIDTH);
    const found = read(level, index, width).then((bytes) => decodeTile(bytes, width));
    rows.set(key, found);
    return found;
  }

  function perfect(low: number, count: number): Promise<Uint8Array> {
    const key = `${low}/${count}`;
    const known = subtrees.get(key);
    if (known !== undefined) return known;
    const found = hashPerfect(low, count);
    subtrees.set(key, found);
    found.catch(() => subtrees.delete(key));
    return found;
  }

  /**
   * Hash over `count` leaves from `low`. `count` is a power of two that divides `low`, so the row is inside one tile.
   */
  async function hashPerfect(low: number, count: number): Promise<Uint8Array> {
    let level = 0;
    let unit = 1; // leaves under one hash of the level
    while (unit * TILE_WIDTH <= count) {
      level++;
      unit *= TILE_WIDTH;
    }
    const first = low / unit;
    const hashes = await row(level, Math.floor(first / TILE_WIDTH));
    const at = first % TILE_WIDTH;
    return rootOf(hashes.slice(at, at + count / unit));
  }

  /** Hash over any range: perfect subtrees of decreasing size, joined from the right. */
  async function ragged([low, high]: Range): Promise<Uint8Array> {
    const parts: Promise<Uint8Array>[] = [];
    for (let at = low; at < high; ) {
      const count = powerWithin(high - at);
      parts.push(perfect(at, count));
      at += count;
    }
    return (await Promise.all(parts)).reduceRight((right, left) => nodeHash(left, right));
  }

  return Promise.all(ranges.map(ragged));
}

/** The largest power of two that is at most n. */
function powerWithin(n: number): number {
  let power = 1;
  while (power * 2 <= n) power *= 2;
  return power;
}

/** The largest power of two smaller than n, where RFC 6962 splits. */
function powerBelow(n: number): number {
  return powerWithin(n - 1);
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function unprovable(why: string): HoldfastError {
  return new HoldfastError("unverified", `the log cannot prove this: ${why}`);
}

/** A `.tlog-proof` file: everything needed to check one entry, given the log's key. */
export interface ProofFile {
  readonly index: number;
  /** Siblings, leaf to root. */
  readonly hashes: readonly Uint8Array[];
  /** The checkpoint verbatim, a signed note; see openCheckpoint. */
  readonly checkpoint: string;
  /** Opaque, not empty, not authenticated. Holdfast does not write it. */
  readonly extra?: Uint8Array;
}

const HEADER = "c2sp.org/tlog-proof@v1";
/** The largest proof file, in bytes: twice a note, to leave room for `extra`. */
const MAX_FILE = 2 * MAX_SIGNED_NOTE;

/** Formats a proof file. Throws `malformed` for contents that would not parse back to themselves. */
export function formatProof({ index, hashes, checkpoint, extra }: ProofFile): string {
  const lines = [HEADER];
  if (extra !== undefined) lines.push(`extra ${Buffer.from(extra).toString("base64")}`);
  lines.push(`index ${index}`, ...hashes.map((h) => Buffer.from(h).toString("base64")), "", checkpoint);
  const text = lines.join("\n");
  parseProof(text);
  return text;
}

/** Parses an untrusted proof file. Checks only the form, also of the checkpoint. */
export function parseProof(input: Uint8Array | string): ProofFile {
  const text = parseText(input, MAX_FILE);
  const end = text.indexOf("\n\n");
  if (end < 0) throw malformed("the proof has no checkpoint");
  // Header, extra, index, hashes. One line too many is enough to refuse.
  const lines = text.slice(0, end).split("\n", MAX_PROOF + 4);
  if (lines.shift() !== HEADER) throw malformed(`the proof does not begin with ${HEADER}`);
  const extra = lines[0]?.startsWith("extra ") ? parseBase64(lines.shift()!.slice("extra ".length)) : undefined;
  const index = lines.shift();
  if (!index?.startsWith("index ")) throw malformed("the proof has no index");
  if (lines.length > MAX_PROOF) throw malformed(`the proof has more than ${MAX_PROOF} hashes`);
  if (extra?.length === 0) throw malformed("the proof's extra data are empty");
  const checkpoint = text.slice(end + 2);
  parseCheckpoint(parseSignedNote(checkpoint).text);
  return {
    index: parseDecimal(index.slice("index ".length)),
    hashes: lines.map(parseHash),
    checkpoint,
    ...(extra === undefined ? {} : { extra }),
  };
}

function parseHash(line: string): Uint8Array {
  const hash = parseBase64(line);
  if (hash.length !== HASH_SIZE) throw malformed(`a hash in the proof is not ${HASH_SIZE} bytes`);
  return hash;
}

function malformed(message: string): HoldfastError {
  return new HoldfastError("malformed", message);
}
