import { HoldfastError } from "../core/error.ts";
import { Frontier } from "./frontier.ts";
import type { AuditLog, Head, LogEntry } from "./log.ts";
import { leafHash, rootOf } from "./merkle.ts";
import type { ReadTile } from "./proof.ts";
import { decodeTile, TILE_WIDTH, tilePath } from "./tile.ts";

/** How many level 0 tiles to cache: 2 MB. The levels above have 1/256 as many tiles, and all of them are cached. */
const KEPT = 256;

/**
 * The log that one signed head describes. Anyone with write access to the vault can replace a tile or bundle, so each
 * is checked against the head's root before use: the partial tiles at the tree's right edge give that root, and each
 * full tile or bundle has its hash in the tile above. Throws `unverified` for one that does not match.
 */
export class SignedLog {
  readonly #log: AuditLog;
  readonly head: Pick<Head, "size" | "root">;
  readonly #leaves = new Map<number, Promise<Uint8Array>>();
  readonly #above = new Map<string, Promise<Uint8Array>>();
  #edge: Promise<Frontier> | undefined;

  /**
   * @param head from a checkpoint whose signature was checked
   * @param edge the tree's right edge, if the caller has it, as `Frontier.load` checks it
   */
  constructor(log: AuditLog, head: Pick<Head, "size" | "root">, edge?: Frontier) {
    this.#log = log;
    this.head = head;
    this.#edge = edge && Promise.resolve(edge);
  }

  get origin(): string {
    return this.#log.origin;
  }

  /** A tile of this tree, in the width that the tree has. */
  readonly tile: ReadTile = (level, index, width) => {
    if (width !== this.#width(level, index)) throw unverified(`it has no tile ${level}/${index} of ${width} hashes`);
    if (level === 0) return kept(this.#leaves, index, () => this.#readTile(level, index), KEPT);
    return kept(this.#above, `${level}/${index}`, () => this.#readTile(level, index));
  };

  /** The leaf hash at `index`. */
  async leaf(index: number): Promise<Uint8Array> {
    const tile = Math.floor(index / TILE_WIDTH);
    const bytes = await this.tile(0, tile, this.#width(0, tile));
    return bytes.subarray((index % TILE_WIDTH) * 32, ((index % TILE_WIDTH) + 1) * 32);
  }

  /** Entries from `from` on, in order. Keeps only a few bundles in memory. */
  async *entries(from: number): AsyncGenerator<LogEntry> {
    const { size } = this.head;
    if (from >= size) return;
    let bundle: LogEntry[] = [];
    for await (const entry of this.#log.entries(Math.floor(from / TILE_WIDTH) * TILE_WIDTH, size)) {
      bundle.push(entry);
      if ((entry.index + 1) % TILE_WIDTH !== 0 && entry.index + 1 !== size) continue;
      await this.#checkBundle(bundle);
      for (const each of bundle) if (each.index >= from) yield each;
      bundle = [];
    }
  }

  async #checkBundle(bundle: readonly LogEntry[]): Promise<void> {
    const number = Math.floor(bundle[0]!.index / TILE_WIDTH);
    const leaves = bundle.map(({ bytes }) => leafHash(bytes));
    // Check a full bundle against its hash one level up, to avoid reading its own tile.
    const same =
      leaves.length === TILE_WIDTH
        ? Buffer.compare(rootOf(leaves), await this.#hashOf(0, number)) === 0
        : Buffer.compare(Buffer.concat(leaves), await this.tile(0, number, leaves.length)) === 0;
    if (same) return;
    throw unverified(`${tilePath({ level: "entries", index: number, width: leaves.length })} does not match`);
  }

  async #readTile(level: number, index: number): Promise<Uint8Array> {
    const width = this.#width(level, index);
    if (width < TILE_WIDTH) {
      this.#edge ??= Frontier.load(this.head.size, this.head.root, this.#log.tile);
      return (await this.#edge).tile(level);
    }
    const bytes = await this.#log.tile(level, index, width);
    if (Buffer.compare(rootOf(decodeTile(bytes, width)), await this.#hashOf(level, index)) === 0) return bytes;
    throw unverified(`${tilePath({ level, index, width })} does not match`);
  }

  /** The hash over a full tile, from the tile above. There always is one: the topmost tile is never full. */
  async #hashOf(level: number, index: number): Promise<Uint8Array> {
    const above = Math.floor(index / TILE_WIDTH);
    const bytes = await this.tile(level + 1, above, this.#width(level + 1, above));
    return bytes.subarray((index % TILE_WIDTH) * 32, ((index % TILE_WIDTH) + 1) * 32);
  }

  #width(level: number, index: number): number {
    return Math.min(TILE_WIDTH, Math.floor(this.head.size / TILE_WIDTH ** level) - index * TILE_WIDTH);
  }
}

/** A cache of successful reads. Drops the oldest when it is full. */
function kept<K, V>(
  map: Map<K, Promise<V>>,
  key: K,
  read: () => Promise<V>,
  most = Number.POSITIVE_INFINITY,
): Promise<V> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const reading = read();
  map.set(key, reading);
  reading.catch(() => map.delete(key));
  for (const oldest of map.keys()) {
    if (map.size <= most) break;
    map.delete(oldest);
  }
  return reading;
}

function unverified(what: string): HoldfastError {
  return new HoldfastError("unverified", `the audit log in the vault does not match its signed checkpoint: ${what}`, {
    hint: "Run `holdfast verify`: it lists every changed object. Their earlier versions are in the vault.",
  });
}
