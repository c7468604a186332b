import { pMapIterable } from "p-map";
import { HoldfastError, hasCode, ownError } from "../core/error.ts";
import { auditKey, CHECKPOINT } from "../vault/layout.ts";
import type { Vault } from "../vault/vault.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { leafHash } from "./merkle.ts";
import { MAX_SIGNED_NOTE, type Verifier } from "./note.ts";
import type { ReadTile } from "./proof.ts";
import { decodeBundle, MAX_BUNDLE, MAX_TILE, TILE_WIDTH, tilePath } from "./tile.ts";

export interface LogEntry {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** The signed head of a log, as stored in the vault. */
export interface Head extends Checkpoint {
  /** The exact bytes of the signed note. */
  readonly note: Uint8Array;
  readonly etag: string;
  readonly versionId: string;
}

/** How many bundles to read ahead. */
const AHEAD = 4;
/** How many earlier checkpoints to read in parallel. */
const CHECKPOINTS_AT_ONCE = 8;

/** Reads a client's audit log from the vault. The data is untrusted until checked against a checkpoint. */
export class AuditLog {
  readonly #vault: Vault;
  readonly origin: string;
  /** The current key first, then former keys, which only verify earlier checkpoints. */
  readonly verifiers: readonly Verifier[];

  constructor(vault: Vault, origin: string, verifiers: readonly Verifier[]) {
    this.#vault = vault;
    this.origin = origin;
    this.verifiers = verifiers;
  }

  /** The checkpoint, signed by the current key. Throws `incomplete`, `malformed` or `unverified`. */
  async head(): Promise<Head> {
    const { bytes, info } = await this.#read(CHECKPOINT, MAX_SIGNED_NOTE);
    const open = () => openCheckpoint(bytes, this.origin, this.verifiers.slice(0, 1));
    return {
      ...this.#named(CHECKPOINT, open),
      note: bytes,
      etag: info.etag,
      versionId: info.versionId,
    };
  }

  /**
   * The size of the largest checkpoint among all versions in the vault that a key of this log signed. It counts even if
   * someone wrote an older checkpoint over it. Checkpoints that no key of the log signed do not count.
   */
  async largestSigned(): Promise<number> {
    let largest = 0;
    const sizes = pMapIterable(
      this.#vault.versions(CHECKPOINT),
      async (version) => {
        if (version.key !== CHECKPOINT || version.deleteMarker) return 0;
        try {
          const { bytes } = await this.#vault.read(CHECKPOINT, MAX_SIGNED_NOTE, version.versionId);
          return openCheckpoint(bytes, this.origin, this.verifiers).size;
        } catch (error) {
          if (hasCode(error, "malformed", "unverified", "vault-missing")) return 0;
          throw error;
        }
      },
      { concurrency: CHECKPOINTS_AT_ONCE },
    );
    for await (const size of sizes) largest = Math.max(largest, size);
    return largest;
  }

  readonly tile: ReadTile = async (level, index, width) => {
    return (await this.#read(auditKey(tilePath({ level, index, width })), MAX_TILE)).bytes;
  };

  /**
   * Entries from `from` up to, not including, `size`, which is the size of a checkpoint. Keeps only a few bundles in
   * memory. Throws `incomplete` if a bundle is missing, `malformed` if it does not parse.
   */
  async *entries(from: number, size: number): AsyncGenerator<LogEntry> {
    const first = Math.floor(from / TILE_WIDTH);
    const last = Math.ceil(size / TILE_WIDTH);
    const numbers = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
    let index = first * TILE_WIDTH;
    for await (const bundle of pMapIterable(numbers, (number) => this.bundle(number, size), { concurrency: AHEAD })) {
      for (const bytes of bundle) {
        if (index >= from) yield { index, bytes };
        index += 1;
      }
    }
  }

  /** The entries of bundle `index` in the log of `size` entries. */
  async bundle(index: number, size: number): Promise<Uint8Array[]> {
    const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
    const key = auditKey(tilePath({ level: "entries", index, width }));
    const { bytes } = await this.#read(key, MAX_BUNDLE);
    return this.#named(key, () => decodeBundle(bytes, width));
  }

  /** Adds the vault and the key to what is wrong with the content. */
  #named<T>(key: string, parse: () => T): T {
    try {
      return parse();
    } catch (cause) {
      const own = ownError(cause);
      if (!own || !hasCode(own, "malformed", "unverified")) throw cause;
      throw new HoldfastError(own.code, `${this.#vault.url}/${key}: ${own.message}`, {
        cause,
        hint: own.hint ?? "Run `holdfast verify`: it lists what was changed. The vault has the earlier versions.",
      });
    }
  }

  /** A missing part of the log is not a vault that is not initialised, but lost evidence. */
  async #read(key: string, limit: number): ReturnType<Vault["read"]> {
    try {
      return await this.#vault.read(key, limit);
    } catch (cause) {
      if (!hasCode(cause, "vault-missing")) throw cause;
      throw new HoldfastError("incomplete", `${this.#vault.url}/${key} is missing: the audit log is incomplete`, {
        cause,
        hint: "If init did not finish, run `holdfast init` again. Otherwise run `holdfast verify` and look for earlier versions in the vault: a delete marker may hide them.",
      });
    }
  }

  /** The leaf hash at `index` in the tree of `size`. */
  async leaf(index: number, size: number): Promise<Uint8Array> {
    const tile = Math.floor(index / TILE_WIDTH);
    const width = Math.min(TILE_WIDTH, size - tile * TILE_WIDTH);
    const bytes = await this.tile(0, tile, width);
    const at = (index % TILE_WIDTH) * 32;
    return bytes.subarray(at, at + 32);
  }
}

export function sameLeaf(bytes: Uint8Array, leaf: Uint8Array): boolean {
  return Buffer.compare(leafHash(bytes), leaf) === 0;
}
