import { Frontier } from "../audit/frontier.ts";
import type { Head } from "../audit/log.ts";
import { leafHash } from "../audit/merkle.ts";
import { parseTilePath, TILE_WIDTH, tilePath } from "../audit/tile.ts";
import { auditKey, CHECKPOINT } from "../vault/layout.ts";
import type { Earlier } from "./history.ts";
import type { Problem } from "./problem.ts";

/** A tile above the leaves, and its possible contents: computed from the entries, or from the tiles below. */
export interface ExpectedTile {
  readonly key: string;
  readonly bytes: readonly Uint8Array[];
}

/**
 * Rebuilds the tree from the entries, bundle by bundle, and compares it with the tiles and every earlier checkpoint. If
 * entries and their tile differ, it builds two trees, one from each: the signed root shows which of the two is right.
 */
export class TreeCheck {
  readonly #head: Head;
  readonly #earlier: readonly Earlier[];
  readonly #problem: (found: Problem) => void;
  #byEntries = new Frontier();
  #byTiles: Frontier | undefined;
  /** Bundles that differ from their tiles, by index. */
  readonly #differing: number[] = [];
  /** A bundle and its tile are both lost: from there on, nothing can be said about the tree. */
  #lost = false;
  #next = 0;
  #isForked = false;
  #isSigned = false;

  /** @param earlier smallest first */
  constructor(head: Head, earlier: readonly Earlier[], problem: (found: Problem) => void) {
    this.#head = head;
    this.#earlier = earlier;
    this.#problem = problem;
    this.#checkEarlier();
  }

  /** Adds a bundle's entries and the hashes in its tile; undefined if unavailable. Returns the tiles to check. */
  add(index: number, entries: readonly Uint8Array[] | undefined, row: readonly Uint8Array[] | undefined) {
    const leaves = entries?.map(leafHash);
    const fromEntries = leaves ?? row;
    const fromTile = row ?? leaves;
    this.#lost ||= fromEntries === undefined;
    if (leaves && row && !leaves.every((leaf, position) => Buffer.compare(leaf, row[position]!) === 0)) {
      this.#differing.push(index);
      this.#byTiles ??= this.#byEntries.clone();
    }
    if (this.#lost) return [];
    const tiles = new Map<string, Uint8Array[]>();
    const grown = [...this.#grow(fromEntries!), ...(this.#byTiles?.append(fromTile!) ?? [])];
    for (const { path, bytes } of grown) {
      if (this.#isHigher(path)) tiles.set(path, [...(tiles.get(path) ?? []), bytes]);
    }
    return Array.from(tiles, ([path, bytes]): ExpectedTile => ({ key: auditKey(path), bytes }));
  }

  /** A tile above the leaves in the final tree: while it grew, it had other partial tiles. */
  #isHigher(path: string): boolean {
    const { level, index, width } = parseTilePath(path);
    if (level === 0 || level === "entries") return false;
    return width === Math.min(TILE_WIDTH, Math.floor(this.#head.size / TILE_WIDTH ** level) - index * TILE_WIDTH);
  }

  /** Adds leaves, stopping at the size of each earlier checkpoint to compare roots. */
  #grow(leaves: readonly Uint8Array[]): { path: string; bytes: Uint8Array }[] {
    const tiles = [];
    for (let from = 0; from < leaves.length; ) {
      const stop = this.#earlier[this.#next]?.size ?? Number.POSITIVE_INFINITY;
      const count = Math.min(leaves.length - from, stop - this.#byEntries.size);
      tiles.push(...this.#byEntries.append(leaves.slice(from, from + count)));
      from += count;
      this.#checkEarlier();
    }
    return tiles;
  }

  #checkEarlier(): void {
    for (; this.#earlier[this.#next]?.size === this.#byEntries.size; this.#next++) {
      const { root, size, source } = this.#earlier[this.#next]!;
      // After a difference the trees are in doubt, and `end` reports it.
      if (this.#byTiles || Buffer.compare(root, this.#byEntries.root()) === 0) continue;
      this.#isForked = true;
      this.#problem({
        key: CHECKPOINT,
        what: `the log forked: ${source}, with ${size} entries, has a different history`,
      });
    }
  }

  /** After `end`: all entries were read, and have the signed root and the root of every earlier checkpoint. */
  get isConfirmed(): boolean {
    return this.#isSigned && !this.#isForked;
  }

  /** Finds out by the signed root whether entries or tiles were changed. */
  end(): void {
    const { root, size } = this.#head;
    const signed = (tree: Frontier | undefined): boolean =>
      !this.#lost && tree?.size === size && Buffer.compare(tree.root(), root) === 0;
    const entriesHold = signed(this.#byEntries);
    const tilesHold = signed(this.#byTiles);
    this.#isSigned = entriesHold;
    for (const index of this.#differing) {
      const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
      const bundle = auditKey(tilePath({ level: "entries", index, width }));
      const tile = auditKey(tilePath({ level: 0, index, width }));
      if (!entriesHold) this.#problem({ key: bundle, what: tilesHold ? "an entry in it was changed" : IN_DOUBT });
      if (!tilesHold) this.#problem({ key: tile, what: entriesHold ? "the tile was changed" : IN_DOUBT });
    }
    if (entriesHold || tilesHold || this.#lost) return;
    this.#problem({ key: CHECKPOINT, what: "the log's entries and tiles do not match the signed root" });
  }
}

const IN_DOUBT = "bundle and tile differ, and neither matches the signed root";
