import { HoldfastError } from "../core/error.ts";
import { decodeEntry, type Entry, type RecordStored } from "./entry.ts";
import { type AuditLog, type Head, sameLeaf } from "./log.ts";
import { formatProof, inclusionProof, type Subtrees } from "./proof.ts";
import { SignedLog } from "./signed-log.ts";
import { TILE_WIDTH } from "./tile.ts";

/** A log and where it ends: a writer's, which moves, or one that was read. */
export interface LogAt {
  readonly log: AuditLog;
  readonly head: Head;
}

/**
 * Entries of the log by their index, each held to the root that the checkpoint signs before it is given: whoever can
 * write to the vault can put any entry in a bundle. The last bundle and the tiles are kept: neighbours are in them too.
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
      throw new HoldfastError(
        "unverified",
        `entry ${index} of the audit log is not the one that its checkpoint signs`,
        {
          hint: "Run `holdfast verify`: it names every object that was changed. Earlier versions of them are in the vault.",
        },
      );
    }
    return bytes;
  }

  /** Null for an entry of a type that this version does not know. */
  async read(index: number): Promise<Entry | null> {
    return decodeEntry(await this.bytes(index));
  }

  /** The entry that stored this very version; `unverified` where it tells of anything else. */
  async stored(index: number, subject: string, version: string): Promise<RecordStored> {
    const entry = await this.read(index);
    if (entry?.type === "record.stored" && entry.subject === subject && entry.version === version) return entry;
    throw new HoldfastError("unverified", `entry ${index} did not store version ${version} of ${subject}`, {
      hint: "The catalog on this machine is of another log. Run `holdfast rebuild`.",
    });
  }

  async proof(index: number): Promise<string> {
    const { head } = this.#at;
    const hashes = await this.hashes(index);
    return formatProof({ index, hashes, checkpoint: Buffer.from(head.note).toString("utf8") });
  }

  /** What leads from an entry to the head's root. */
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
