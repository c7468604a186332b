import { Frontier } from "../audit/frontier.ts";
import type { AuditLog, Head } from "../audit/log.ts";
import { leafHash } from "../audit/merkle.ts";
import { decodeTile, parseTilePath, TILE_WIDTH, tilePath } from "../audit/tile.ts";
import { hasCode } from "../error.ts";
import { auditKey } from "../vault/layout.ts";
import type { Earlier } from "./history.ts";
import type { Problem } from "./problem.ts";

/**
 * Grows the tree anew from the entries, bundle by bundle, and holds every tile and every earlier checkpoint against it.
 * Where entries and their tile differ, two trees are grown on, one from each: the root that was signed says which of
 * the two is true.
 */
export class TreeCheck {
  readonly #log: AuditLog;
  readonly #head: Head;
  readonly #earlier: readonly Earlier[];
  readonly #problem: (found: Problem) => void;
  #byEntries = new Frontier();
  #byTiles: Frontier | undefined;
  /** Bundles that differ from their tiles, by index. */
  readonly #differing: number[] = [];
  #next = 0;

  constructor(log: AuditLog, head: Head, earlier: readonly Earlier[], problem: (found: Problem) => void) {
    this.#log = log;
    this.#head = head;
    this.#earlier = earlier;
    this.#problem = problem;
    this.#checkEarlier();
  }

  /** The entries of the next bundle, or undefined where it is missing or does not parse. Gives the tiles to check. */
  async add(
    index: number,
    entries: readonly Uint8Array[] | undefined,
  ): Promise<{ key: string; bytes: Uint8Array[] }[]> {
    const width = Math.min(TILE_WIDTH, this.#head.size - index * TILE_WIDTH);
    const row = await this.#row(index, width);
    const leaves = entries?.map(leafHash);
    const fromEntries = leaves ?? row;
    const fromTile = row ?? leaves;
    if (fromEntries === undefined || fromTile === undefined) return [];
    if (leaves && row && !leaves.every((leaf, position) => Buffer.compare(leaf, row[position]!) === 0)) {
      this.#differing.push(index);
      this.#byTiles ??= this.#byEntries.clone();
    }
    const tiles = new Map<string, Uint8Array[]>();
    for (const [frontier, hashes] of [
      [this.#byEntries, fromEntries],
      [this.#byTiles, fromTile],
    ] as const) {
      for (const { path, bytes } of frontier ? this.#grow(frontier, hashes) : []) {
        const { level, width } = parseTilePath(path);
        // Tiles of level 0 were compared above; between two full ones the vault has only those of its own checkpoints.
        if (level === 0 || (width < TILE_WIDTH && frontier!.size < this.#head.size)) continue;
        tiles.set(auditKey(path), [...(tiles.get(auditKey(path)) ?? []), bytes]);
      }
    }
    return Array.from(tiles, ([key, bytes]) => ({ key, bytes }));
  }

  /** Adds leaves, stopping at the size of each earlier checkpoint to compare. */
  #grow(frontier: Frontier, leaves: readonly Uint8Array[]): { path: string; bytes: Uint8Array }[] {
    if (frontier !== this.#byEntries) return frontier.append(leaves);
    const tiles = [];
    for (let from = 0; from < leaves.length; ) {
      const stop = this.#earlier[this.#next]?.size ?? Number.POSITIVE_INFINITY;
      const count = Math.min(leaves.length - from, stop - frontier.size);
      tiles.push(...frontier.append(leaves.slice(from, from + count)));
      from += count;
      this.#checkEarlier();
    }
    return tiles;
  }

  #checkEarlier(): void {
    for (; this.#earlier[this.#next]?.size === this.#byEntries.size; this.#next++) {
      const { root, size, versionId } = this.#earlier[this.#next]!;
      // After a difference the trees are in doubt, and `end` has said so.
      if (this.#byTiles || Buffer.compare(root, this.#byEntries.root()) === 0) continue;
      this.#problem({
        key: "audit/checkpoint",
        what: `version ${versionId} of ${size} entries is of another history: the log forked`,
      });
    }
  }

  /** Says which of entries and tiles were changed, by the root that was signed. */
  end(): void {
    const { root } = this.#head;
    const signs = (frontier: Frontier | undefined): boolean =>
      frontier !== undefined && frontier.size === this.#head.size && Buffer.compare(frontier.root(), root) === 0;
    const entriesHold = signs(this.#byEntries);
    const tilesHold = signs(this.#byTiles);
    for (const index of this.#differing) {
      const width = Math.min(TILE_WIDTH, this.#head.size - index * TILE_WIDTH);
      const bundle = auditKey(tilePath({ level: "entries", index, width }));
      const tile = auditKey(tilePath({ level: 0, index, width }));
      if (!entriesHold)
        this.#problem({ key: bundle, what: tilesHold ? "an entry in it was changed" : `it and ${tile} differ` });
      if (entriesHold) this.#problem({ key: tile, what: "the tile was changed: it does not match the entries" });
    }
    if (entriesHold || (tilesHold && this.#differing.length > 0)) return;
    this.#problem({ key: "audit/checkpoint", what: "the log's entries and tiles do not give the root that it signs" });
  }

  async #row(index: number, width: number): Promise<Uint8Array[] | undefined> {
    try {
      return decodeTile(await this.#log.tile(0, index, width), width);
    } catch (error) {
      if (!hasCode(error, "vault-missing", "malformed")) throw error;
      const key = auditKey(tilePath({ level: 0, index, width }));
      this.#problem({ key, what: hasCode(error, "malformed") ? "the tile has the wrong size" : "the tile is missing" });
      return undefined;
    }
  }
}
