import { hasCode } from "../core/error.ts";
import { CHECKPOINT } from "../vault/layout.ts";
import type { Conditional, Lock, Vault } from "../vault/vault.ts";
import { forked } from "./last-seen.ts";
import type { Head } from "./log.ts";
import { MAX_NOTE } from "./note.ts";

/** The log's present head, by a writer that holds the vault. */
export interface Present {
  readonly vault: Vault;
  readonly conditional: Conditional;
  /** Throws once this process no longer holds the vault. */
  readonly holds: () => void;
  readonly head: Head;
}

/** Puts the next checkpoint in the place of the one this writer wrote or read before, and of no other. */
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
    // The answer to an attempt that succeeded may have been lost.
    const { bytes, info } = await vault.read(CHECKPOINT, MAX_NOTE);
    if (Buffer.compare(bytes, note) === 0) return info;
    throw replaced(holds);
  }
}

/**
 * Where the store cannot compare and swap, the lease keeps others out. If it did not, this finds them: before the
 * write, and after it by the version that came before, which the store keeps.
 */
async function replaceLooking(at: Present, note: Uint8Array, lock: Lock): Promise<Pick<Head, "etag" | "versionId">> {
  const { vault, holds, head } = at;
  await refuseReplaced(at);
  const written = await vault.put(CHECKPOINT, note, { lock, holds });
  for await (const { key, versionId } of vault.versions(CHECKPOINT)) {
    if (key !== CHECKPOINT || versionId === written.versionId) continue;
    if (versionId === head.versionId) return written;
    // A retried put may have written the same note twice.
    const before = await vault.read(CHECKPOINT, MAX_NOTE, versionId);
    if (Buffer.compare(before.bytes, note) !== 0) break;
  }
  throw forked("another checkpoint was written at the same time as this one");
}

/** Throws `forked`, or what `holds` throws, where the checkpoint is another by now. */
export async function refuseReplaced({ vault, head, holds }: Present): Promise<void> {
  const { bytes } = await vault.read(CHECKPOINT, MAX_NOTE);
  if (Buffer.compare(bytes, head.note) === 0) return;
  throw replaced(holds);
}

/** Who lost the vault is overtaken by the next holder, as it should be: no fork. */
function replaced(holds: () => void): unknown {
  try {
    holds();
  } catch (lost) {
    return lost;
  }
  return forked("its checkpoint was replaced while this run wrote");
}
