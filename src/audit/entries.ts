import { HoldfastError } from "../core/error.ts";
import { decodeEntry, type Entry, type RecordStored } from "./entry.ts";
import { type AuditLog, type Head, sameLeaf } from "./log.ts";
import { formatProof, inclusionProof, type Subtrees } from "./proof.ts";
import { SignedLog } from "./signed-log.ts";
import { TILE_WIDTH } from "./tile.ts";

/** A log and its head: a writer's current head, or one that was read. */
export interface LogAt {
  readonly log: AuditLog;
  readonly head: Head;
}

/**
 * Reads log entries by index. Checks each against the root that the checkpoint signs, because anyone with write access
 * to the vault can put any entry in a bundle. Caches the last bundle and the tiles: the next entry is probably in them.
 */
export class Entries {
  readonly #at: LogAt;
  #signed: SignedLog | undefined;
  #subtrees: Subtrees = new Map();
  #bundle: { index: number; size: number; entries: readonly Uint8Array[] } | undefined;

  constructor(at: LogAt) {
    this.#at = at;
  }

  async bytes(index: number): Promise<Uint8Array> {
    const { log, head } = this.#at;
    const bundle = Math.floor(index / TILE_WIDTH);
    if (this.#bundle?.index !== bundle || this.#bundle.size !== head.size) {
      this.#bundle = { index: bundle, size: head.size, entries: await log.bundle(bundle, head.size) };
    }
    const bytes = this.#bundle.entries[index % TILE_WIDTH];
    if (bytes === undefined || !sameLeaf(bytes, await this.#now().leaf(index))) {
      throw new HoldfastError("unverified", `entry ${index} of the audit log does not match its signed checkpoint`, {
        hint: "Run `holdfast verify`: it lists every changed object. Their earlier versions are in the vault.",
      });
    }
    return bytes;
  }

  /** Null if this version does not know the entry's type. */
  async read(index: number): Promise<Entry | null> {
    return decodeEntry(await this.bytes(index));
  }

  /** The entry that stored this version. Throws `unverified` if the entry is about anything else. */
  async stored(index: number, subject: string, version: string): Promise<RecordStored> {
    const entry = await this.read(index);
    if (entry?.type === "record.stored" && entry.subject === subject && entry.version === version) return entry;
    throw new HoldfastError("unverified", `entry ${index} did not store version ${version} of ${subject}`, {
      hint: "Run `holdfast rebuild`. The catalog on this machine belongs to another log.",
    });
  }

  async proof(index: number): Promise<string> {
    const { head } = this.#at;
    const hashes = await this.hashes(index);
    return formatProof({ index, hashes, checkpoint: Buffer.from(head.note).toString("utf8") });
  }

  /** The inclusion proof from an entry to the head's root. */
  hashes(index: number): Promise<Uint8Array[]> {
    return inclusionProof(index, this.#at.head.size, this.#now().tile, this.#subtrees);
  }

  #now(): SignedLog {
    const { log, head } = this.#at;
    if (this.#signed?.head.size !== head.size) {
      this.#signed = new SignedLog(log, head);
      this.#subtrees = new Map();
    }
    return this.#signed;
  }
}
