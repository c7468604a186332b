/**
 * Proofs made from tiles, as a tlog-tiles client makes them, and the file that carries one (C2SP tlog-proof).
 *
 * A tile holds every eighth level of the tree; the levels between are hashed from its row. Tiles are read as
 * untrusted bytes of the right length and not authenticated here: a proof from a false tile fails to verify,
 * and a root from one differs from the checkpoint's. Whoever asks must check that.
 */
import { HoldfastError } from "../core/error.ts";
import { parseBase64, parseDecimal, parseText } from "./canonical.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { emptyRoot, HASH_SIZE, MAX_PROOF, nodeHash, rootOf } from "./merkle.ts";
import { MAX_NOTE, parseNote } from "./note.ts";
import { decodeTile, TILE_WIDTH } from "./tile.ts";

/**
 * Gives the bytes of one tile, `width` × 32. Asked for the widest that a tree of the size in question has: the
 * full tile, else the partial one of exactly that size. Asked once per tile and proof, for several at a time.
 * What it throws passes through; bytes of another length are refused as "malformed".
 */
export type ReadTile = (level: number, index: number, width: number) => Promise<Uint8Array>;

/** Hashes over subtrees of one tree, for whoever makes many proofs in it: neighbours have most of them in common. */
export type Subtrees = Map<string, Promise<Uint8Array>>;

/** Subtrees that are kept: those of a few tiles. */
const SUBTREES = 4096;

/**
 * That leaf `index` stands in the tree of `size` leaves: sibling hashes, leaf to root (RFC 6962 section 2.1.1).
 * "unverified" if the tree has no such leaf.
 * @param known of a tree of the same size; it is added to, and emptied when it is full
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
 * That the tree of `size2` leaves begins with that of `size1` (RFC 6962 section 2.1.2). Empty for equal sizes
 * and from the empty tree. "unverified" unless 0 <= size1 <= size2.
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
  // What is left ends where the old tree ends. If it is the old tree, the verifier has its root already.
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

/** Leaves from the first to before the second. */
type Range = readonly [low: number, high: number];

/** The tree hashes over ranges that the tree of `size` has as nodes. */
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

  /** Over `count` leaves from `low` on, with `count` a power of two that divides `low`: a row inside one tile. */
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

  /** A ragged range is a fall of ever smaller perfect subtrees, joined from the right. */
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
  return new HoldfastError("unverified", `The log cannot prove this: ${why}`);
}

/** The contents of a `.tlog-proof` file: everything to check one entry with, given the log's key. */
export interface ProofFile {
  readonly index: number;
  /** Siblings, leaf to root. */
  readonly hashes: readonly Uint8Array[];
  /** The checkpoint verbatim, a signed note; see openCheckpoint. */
  readonly checkpoint: string;
  /** Opaque, not empty, not authenticated by anything; Holdfast writes none. */
  readonly extra?: Uint8Array;
}

const HEADER = "c2sp.org/tlog-proof@v1";
/** Bytes of the largest proof file: twice a note, for `extra` too. */
const MAX_FILE = 2 * MAX_NOTE;

/** The text of a proof file. "malformed" for contents that could not be read back as themselves. */
export function formatProof({ index, hashes, checkpoint, extra }: ProofFile): string {
  const lines = [HEADER];
  if (extra !== undefined) lines.push(`extra ${Buffer.from(extra).toString("base64")}`);
  lines.push(`index ${index}`, ...hashes.map((h) => Buffer.from(h).toString("base64")), "", checkpoint);
  const text = lines.join("\n");
  parseProof(text);
  return text;
}

/** Untrusted bytes or text to the contents of a proof file. Only the form is checked, of the checkpoint too. */
export function parseProof(input: Uint8Array | string): ProofFile {
  const text = parseText(input, MAX_FILE);
  const end = text.indexOf("\n\n");
  if (end < 0) throw malformed("A proof has no checkpoint");
  // Header, extra, index, hashes; one line beyond what is allowed suffices to refuse.
  const lines = text.slice(0, end).split("\n", MAX_PROOF + 4);
  if (lines.shift() !== HEADER) throw malformed(`A proof does not begin with ${HEADER}`);
  const extra = lines[0]?.startsWith("extra ") ? parseBase64(lines.shift()!.slice("extra ".length)) : undefined;
  const index = lines.shift();
  if (!index?.startsWith("index ")) throw malformed("A proof has no index");
  if (lines.length > MAX_PROOF) throw malformed(`A proof has more than ${MAX_PROOF} hashes`);
  if (extra?.length === 0) throw malformed("A proof's extra data are empty");
  const checkpoint = text.slice(end + 2);
  parseCheckpoint(parseNote(checkpoint).text);
  return {
    index: parseDecimal(index.slice("index ".length)),
    hashes: lines.map(parseHash),
    checkpoint,
    ...(extra === undefined ? {} : { extra }),
  };
}

function parseHash(line: string): Uint8Array {
  const hash = parseBase64(line);
  if (hash.length !== HASH_SIZE) throw malformed(`A proof's hash is not ${HASH_SIZE} bytes`);
  return hash;
}

function malformed(message: string): HoldfastError {
  return new HoldfastError("malformed", message);
}
