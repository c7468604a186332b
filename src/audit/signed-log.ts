import { HoldfastError } from "../core/error.ts";
import { Frontier } from "./frontier.ts";
import type { AuditLog, Head, LogEntry } from "./log.ts";
import { leafHash, rootOf } from "./merkle.ts";
import type { ReadTile } from "./proof.ts";
import { decodeTile, TILE_WIDTH, tilePath } from "./tile.ts";

/** Tiles of level 0 that are kept: 2 MB. Those above are 256 times fewer, and all of them are kept. */
const KEPT = 256;

/**
 * A log as one signed head describes it. Whoever can write to the vault can put any tile or bundle in it, so each is
 * held to the head's root before anything of it is given: the partial tiles at the tree's right edge give that root,
 * and each full tile or bundle has its hash in the tile above. Throws `unverified` for one that does not fit.
 */
export class SignedLog {
  readonly #log: AuditLog;
  readonly head: Pick<Head, "size" | "root">;
  readonly #leaves = new Map<number, Promise<Uint8Array>>();
  readonly #above = new Map<string, Promise<Uint8Array>>();
  #edge: Promise<ReadonlyMap<number, Uint8Array>> | undefined;

  /** @param head of a checkpoint whose signature was checked */
  constructor(log: AuditLog, head: Pick<Head, "size" | "root">) {
    this.#log = log;
    this.head = head;
  }

  /** A tile of this tree, as wide as the tree has it. */
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

  /** Entries from `from` on, in order. A few bundles are held in memory, however many entries there are. */
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
    // A full one is held to its hash a level higher: then its own tile need not be read.
    const same =
      leaves.length === TILE_WIDTH
        ? Buffer.compare(rootOf(leaves), await this.#hashOf(0, number)) === 0
        : Buffer.compare(Buffer.concat(leaves), await this.tile(0, number, leaves.length)) === 0;
    if (same) return;
    throw unverified(`${tilePath({ level: "entries", index: number, width: leaves.length })} does not fit`);
  }

  async #readTile(level: number, index: number): Promise<Uint8Array> {
    const width = this.#width(level, index);
    if (width < TILE_WIDTH) {
      this.#edge ??= this.#readEdge();
      return (await this.#edge).get(level)!;
    }
    const bytes = await this.#log.tile(level, index, width);
    if (Buffer.compare(rootOf(decodeTile(bytes, width)), await this.#hashOf(level, index)) === 0) return bytes;
    throw unverified(`${tilePath({ level, index, width })} does not fit`);
  }

  /** The hash over a full tile, from the tile above it. There is always one above: the topmost is never full. */
  async #hashOf(level: number, index: number): Promise<Uint8Array> {
    const above = Math.floor(index / TILE_WIDTH);
    const bytes = await this.tile(level + 1, above, this.#width(level + 1, above));
    return bytes.subarray((index % TILE_WIDTH) * 32, ((index % TILE_WIDTH) + 1) * 32);
  }

  /** The partial tiles, by their level. */
  async #readEdge(): Promise<ReadonlyMap<number, Uint8Array>> {
    const tiles = new Map<number, Uint8Array>();
    await Frontier.load(this.head.size, this.head.root, async (level, index, width) => {
      const bytes = await this.#log.tile(level, index, width);
      tiles.set(level, bytes);
      return bytes;
    });
    return tiles;
  }

  #width(level: number, index: number): number {
    return Math.min(TILE_WIDTH, Math.floor(this.head.size / TILE_WIDTH ** level) - index * TILE_WIDTH);
  }
}

/** What is read once and then kept; a read that failed is not. The oldest gives way where there are too many. */
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
  return new HoldfastError(
    "unverified",
    `the audit log in the vault is not the one that its checkpoint signs: ${what}`,
    {
      hint: "Run `holdfast verify`: it names every object that was changed. Earlier versions of them are in the vault.",
    },
  );
}
