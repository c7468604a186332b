import { hasCode } from "../core/error.ts";
import { CHECKPOINT } from "../vault/layout.ts";
import type { Conditional, Lock, Vault } from "../vault/vault.ts";
import { forked } from "./last-seen.ts";
import type { Head } from "./log.ts";
import { MAX_SIGNED_NOTE } from "./note.ts";

/** The log's current head, as known to a writer that holds the vault. */
export interface Present {
  readonly vault: Vault;
  readonly conditional: Conditional;
  /** Throws once this process no longer holds the vault. */
  readonly holds: () => void;
  readonly head: Head;
}

/** Replaces the checkpoint that this writer last wrote or read, and no other, with the next one. */
export async function replaceCheckpoint(
  at: Present,
  note: Uint8Array,
  lock: Lock,
): Promise<Pick<Head, "etag" | "versionId">> {
  const { vault, conditional, holds, head } = at;
  if (!conditional.ifMatch) return replaceLooking(at, note, lock);
  try {
    return await vault.put(CHECKPOINT, note, { lock, holds, ifMatch: head.etag });
  } catch (error) {
    if (!hasCode(error, "vault-conflict")) throw error;
    // An attempt may have succeeded although its answer was lost.
    const { bytes, info } = await vault.read(CHECKPOINT, MAX_SIGNED_NOTE);
    if (Buffer.compare(bytes, note) === 0) return info;
    throw replaced(holds);
  }
}

/**
 * For stores without compare-and-swap, where only the lease keeps other writers out. Detects one all the same: before
 * the write, and after it from the version before, which the store keeps.
 */
async function replaceLooking(at: Present, note: Uint8Array, lock: Lock): Promise<Pick<Head, "etag" | "versionId">> {
  const { vault, holds, head } = at;
  await refuseReplaced(at);
  const written = await vault.put(CHECKPOINT, note, { lock, holds });
  for await (const { key, versionId } of vault.versions(CHECKPOINT)) {
    if (key !== CHECKPOINT || versionId === written.versionId) continue;
    if (versionId === head.versionId) return written;
    // A retried put may write the same note twice.
    const before = await vault.read(CHECKPOINT, MAX_SIGNED_NOTE, versionId);
    if (Buffer.compare(before.bytes, note) !== 0) break;
  }
  throw forked("another writer wrote a checkpoint at the same time");
}

/** Throws `forked`, or what `holds` throws, if the checkpoint has been replaced. */
export async function refuseReplaced({ vault, head, holds }: Present): Promise<void> {
  const { bytes } = await vault.read(CHECKPOINT, MAX_SIGNED_NOTE);
  if (Buffer.compare(bytes, head.note) === 0) return;
  throw replaced(holds);
}

/** A writer that lost the vault is rightly overtaken by the next holder. That is not a fork. */
function replaced(holds: () => void): unknown {
  try {
    holds();
  } catch (lost) {
    return lost;
  }
  return forked("its checkpoint was replaced during this run");
}
