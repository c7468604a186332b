import { HoldfastError } from "../error.ts";
import { decodeEntry, type Entry } from "./entry.ts";
import type { AuditLog, Head } from "./log.ts";
import { formatProof, inclusionProof, type ReadTile } from "./proof.ts";
import { TILE_WIDTH } from "./tile.ts";

/** A log and where it ends: a writer's, which moves, or one that was read. */
export interface LogAt {
  readonly log: AuditLog;
  readonly head: Head;
}

/** Entries of the log by their index. The last bundle and the tiles are held: neighbours are in them too. */
export class Entries {
  readonly #at: LogAt;
  #bundle: { index: number; size: number; entries: readonly Uint8Array[] } | undefined;
  #tiles: { size: number; read: Map<string, Promise<Uint8Array>> } | undefined;

  constructor(at: LogAt) {
    this.#at = at;
  }

  async bytes(index: number): Promise<Uint8Array> {
    const { log, head } = this.#at;
    const bundle = Math.floor(index / TILE_WIDTH);
    if (this.#bundle?.index !== bundle || this.#bundle.size !== head.size) {
      this.#bundle = { index: bundle, size: head.size, entries: await log.bundle(bundle, head.size) };
    }
    return this.#bundle.entries[index % TILE_WIDTH]!;
  }

  async read(index: number): Promise<Entry> {
    const entry = decodeEntry(await this.bytes(index));
    if (entry === null) throw new HoldfastError("internal", `entry ${index} is of a type that stores nothing`);
    return entry;
  }

  async proof(index: number): Promise<string> {
    const { head } = this.#at;
    const hashes = await inclusionProof(index, head.size, this.#tile);
    return formatProof({ index, hashes, checkpoint: Buffer.from(head.note).toString("utf8") });
  }

  readonly #tile: ReadTile = (level, index, width) => {
    const { log, head } = this.#at;
    if (this.#tiles?.size !== head.size) this.#tiles = { size: head.size, read: new Map() };
    const key = `${level}/${index}/${width}`;
    const known = this.#tiles.read.get(key);
    if (known !== undefined) return known;
    const read = log.tile(level, index, width);
    this.#tiles.read.set(key, read);
    return read;
  };
}
