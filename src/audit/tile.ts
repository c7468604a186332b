/**
 * Tiles and entry bundles (C2SP tlog-tiles): their names, which ones a tree has, and their contents.
 *
 * A tile of level L holds up to 256 hashes, each over 256^L entries. A bundle holds the up to 256 entries behind a tile
 * of level 0. Only full tiles are hashed into the level above.
 *
 * Names and bytes from a vault are untrusted. Anything outside the format, read or written, throws `malformed`.
 */
import { HoldfastError } from "../core/error.ts";
import { parseDecimal } from "./canonical.ts";
import { HASH_SIZE } from "./merkle.ts";

/** Hashes in a full tile, entries in a full bundle. */
export const TILE_WIDTH = 256;

/** The longest entry, in bytes: its length is a uint16. */
export const MAX_ENTRY = 65_535;

/** Sizes of a full tile and of the largest bundle, in bytes: limits for reading untrusted ones. */
export const MAX_TILE = TILE_WIDTH * HASH_SIZE;
export const MAX_BUNDLE = TILE_WIDTH * (2 + MAX_ENTRY);

/** One tile of hashes: `index` counts tiles within the level, `width` (1 to 256) counts hashes in the tile. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** One bundle of entries, numbered as the tiles of level 0. */
export interface Bundle {
  readonly level: "entries";
  readonly index: number;
  readonly width: number;
}

/** The path below the log's prefix: `tile/<L>/<N>` when full, `tile/<L>/<N>.p/<W>` when partial. */
export function tilePath({ level, index, width }: Tile | Bundle): string {
  if (level !== "entries" && !isWithin(level, 0, 63)) throw malformed("the tile's level is outside 0 to 63");
  if (!isWithin(index, 0, Number.MAX_SAFE_INTEGER)) throw malformed("the tile's index is not a valid count");
  checkWidth(width);
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g)!;
  const path = `tile/${level}/x${groups.join("/x")}`.replace(/x([0-9]{3})$/, "$1");
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

/** Parses the path of a tile or bundle. Accepts only what `tilePath` writes. */
export function parseTilePath(path: string): Tile | Bundle {
  const match = path.length > 64 ? null : /^tile\/([0-9]{1,2}|entries)\/([x0-9/]+)(?:\.p\/([0-9]{1,3}))?$/.exec(path);
  if (match === null) throw malformed("not the path of a tile");
  const [, level, groups, width] = match;
  const found = {
    index: parseDecimal(groups!.replace(/[x/]/g, "").replace(/^0+(?=.)/, "")),
    width: width === undefined ? TILE_WIDTH : parseDecimal(width),
  };
  const tile: Tile | Bundle = level === "entries" ? { level, ...found } : { level: parseDecimal(level!), ...found };
  if (tilePath(tile) !== path) throw malformed("the tile's path is not in canonical form");
  return tile;
}

/** All tiles of a tree of `size` leaves, level by level from the leaves up, left to right. */
export function tilesFor(size: number): Generator<Tile, void> {
  return newTiles(0, size);
}

/**
 * The tiles to write when a tree grows from `oldSize` to `newSize` leaves: every tile that is now full, and at each
 * level that changed, the partial tile of the new size. In the order of `tilesFor`.
 */
export function newTiles(oldSize: number, newSize: number): Generator<Tile, void> {
  checkGrowth(oldSize, newSize);
  return walk(oldSize, newSize);
}

/** The bundles to write when a tree grows: those behind the new tiles of level 0. */
export function* newBundles(oldSize: number, newSize: number): Generator<Bundle, void> {
  for (const tile of newTiles(oldSize, newSize)) {
    if (tile.level > 0) return;
    yield { ...tile, level: "entries" };
  }
}

function* walk(oldSize: number, newSize: number): Generator<Tile, void> {
  let before = oldSize;
  let after = newSize;
  for (let level = 0; after > before; level++) {
    for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < after; index++) {
      yield { level, index, width: Math.min(TILE_WIDTH, after - index * TILE_WIDTH) };
    }
    before = Math.floor(before / TILE_WIDTH);
    after = Math.floor(after / TILE_WIDTH);
  }
}

/** The bytes of a tile: its hashes in sequence. */
export function encodeTile(hashes: readonly Uint8Array[]): Buffer {
  checkWidth(hashes.length);
  if (!hashes.every((h) => h.length === HASH_SIZE)) throw malformed(`a hash in the tile is not ${HASH_SIZE} bytes`);
  return Buffer.concat(hashes);
}

/** The hashes of a tile of exactly this width. They are views of `bytes`, not copies. */
export function decodeTile(bytes: Uint8Array, width: number): Uint8Array[] {
  checkWidth(width);
  if (bytes.length !== width * HASH_SIZE) throw malformed(`the tile does not hold exactly ${width} hashes`);
  return Array.from({ length: width }, (_, i) => bytes.subarray(i * HASH_SIZE, (i + 1) * HASH_SIZE));
}

/** The bytes of a bundle: for each entry, its length as a big-endian uint16, then the entry. */
export function encodeBundle(entries: readonly Uint8Array[]): Buffer {
  checkWidth(entries.length);
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY) throw malformed(`a log entry is longer than ${MAX_ENTRY} bytes`);
    parts.push(Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry);
  }
  return Buffer.concat(parts);
}

/** The entries of a bundle of exactly this width. They are views of `bytes`, not copies. */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  checkWidth(width);
  const entries: Uint8Array[] = [];
  let at = 0;
  while (entries.length < width) {
    if (at + 2 > bytes.length) throw malformed("the entry bundle is truncated");
    const end = at + 2 + bytes[at]! * 256 + bytes[at + 1]!;
    if (end > bytes.length) throw malformed("the entry bundle is truncated");
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  if (at !== bytes.length) throw malformed(`the entry bundle holds more than ${width} entries`);
  return entries;
}

function checkGrowth(oldSize: number, newSize: number): void {
  if (isWithin(newSize, 0, Number.MAX_SAFE_INTEGER) && isWithin(oldSize, 0, newSize)) return;
  throw malformed("the tree's sizes are not valid counts, or shrink");
}

function checkWidth(width: number): void {
  if (!isWithin(width, 1, TILE_WIDTH)) throw malformed(`the tile's width is outside 1 to ${TILE_WIDTH}`);
}

function isWithin(n: number, least: number, most: number): boolean {
  return Number.isSafeInteger(n) && n >= least && n <= most;
}

function malformed(message: string): HoldfastError {
  return new HoldfastError("malformed", message);
}
