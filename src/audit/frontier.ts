import { HoldfastError } from "../core/error.ts";
import { emptyRoot, rootOf } from "./merkle.ts";
import type { ReadTile } from "./proof.ts";
import { decodeTile, encodeTile, newTiles, TILE_WIDTH, tilePath } from "./tile.ts";

/**
 * The right edge of a growing tree: the hashes of each level's partial tile. Enough to append, write tiles and compute
 * the root. A few kilobytes, whatever the tree's size.
 */
export class Frontier {
  #size = 0;
  #rows: Uint8Array[][] = [];

  get size(): number {
    return this.#size;
  }

  /** Leaf hashes of the last bundle, if it is not full. */
  get lastLeaves(): readonly Uint8Array[] {
    return this.#rows[0] ?? [];
  }

  /** The partial tile of a level. */
  tile(level: number): Uint8Array {
    return encodeTile(this.#rows[level]!);
  }

  /** Loads the edge of an existing tree from its partial tiles. Throws `unverified` unless they give `root`. */
  static async load(size: number, root: Uint8Array, read: ReadTile): Promise<Frontier> {
    const frontier = new Frontier();
    frontier.#size = size;
    for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
      const width = count % TILE_WIDTH;
      const index = Math.floor(count / TILE_WIDTH);
      frontier.#rows.push(width === 0 ? [] : decodeTile(await read(level, index, width), width));
    }
    if (Buffer.compare(frontier.root(), root) !== 0) {
      throw new HoldfastError("unverified", "the audit log's tiles do not match its signed checkpoint", {
        hint: "Run `holdfast verify` to see which tile differs. Its earlier versions are in the vault.",
      });
    }
    return frontier;
  }

  clone(): Frontier {
    const copy = new Frontier();
    copy.#size = this.#size;
    copy.#rows = this.#rows.map((row) => [...row]);
    return copy;
  }

  /** Adds leaves. Gives path and bytes of each tile that the tree now has and did not have before. */
  append(leaves: Iterable<Uint8Array>): { path: string; bytes: Uint8Array }[] {
    const before = this.#size;
    const full = new Map<string, Uint8Array>();
    for (const leaf of leaves) {
      this.#push(0, leaf, full);
      this.#size += 1;
    }
    return Array.from(newTiles(before, this.#size), (tile) => {
      const path = tilePath(tile);
      return { path, bytes: full.get(path) ?? encodeTile(this.#rows[tile.level]!) };
    });
  }

  #push(level: number, hash: Uint8Array, full: Map<string, Uint8Array>): void {
    this.#rows[level] ??= [];
    const row = this.#rows[level];
    row.push(hash);
    if (row.length < TILE_WIDTH) return;
    const index = Math.floor(this.#size / TILE_WIDTH ** (level + 1));
    full.set(tilePath({ level, index, width: TILE_WIDTH }), encodeTile(row));
    const above = rootOf(row);
    this.#rows[level] = [];
    this.#push(level + 1, above, full);
  }

  root(): Uint8Array {
    // Each row's hashes cover full subtrees. The rest below them is one more, smaller node at the right end.
    let ragged: Uint8Array | undefined;
    for (const row of this.#rows) {
      const nodes = ragged ? [...row, ragged] : row;
      if (nodes.length > 0) ragged = rootOf(nodes);
    }
    return ragged ?? emptyRoot;
  }
}
