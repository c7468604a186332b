import { hasCode } from "../core/error.ts";
import { auditKey } from "../vault/layout.ts";
import { covers } from "../vault/lock.ts";
import type { Conditional, Lock, ObjectInfo, Vault } from "../vault/vault.ts";
import { forked } from "./last-seen.ts";

/** A bundle or a tile. */
export interface LogPiece {
  /** `tile/…`, as C2SP tlog-tiles names it. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface Writing {
  readonly vault: Vault;
  readonly conditional: Conditional;
  readonly lock: Lock;
  /** Throws once this process no longer holds the vault. */
  readonly holds: () => void;
  /** Throws `forked` if a checkpoint already covers the pieces to write. */
  readonly refuseCovered: () => Promise<void>;
  /** Called with each piece that was put here. */
  readonly onStored: (key: string, versionId: string) => void;
}

/** How many pieces to write in parallel. */
const PARALLEL = 8;

/**
 * Writes pieces that no checkpoint covers yet. After the first failure it starts or retries no put, waits for the
 * running ones, and then throws that failure: nothing from this writer arrives later.
 */
export async function writePieces(pieces: Iterable<LogPiece>, writing: Writing): Promise<void> {
  const queue = [...pieces];
  let failed: { readonly error: unknown } | undefined;
  const holds = (): void => {
    if (failed) throw failed.error;
    writing.holds();
  };
  const workers = Array.from({ length: PARALLEL }, async () => {
    for (let piece = queue.shift(); piece && !failed; piece = queue.shift()) {
      try {
        await writePiece(piece, { ...writing, holds });
      } catch (error) {
        failed ??= { error };
      }
    }
  });
  await Promise.all(workers);
  if (failed) throw failed.error;
}

/**
 * Creates a piece. If its key already exists:
 * - the same bytes are this piece, written before;
 * - other bytes that no checkpoint covers are from a writer that died. No one reads them, so this piece replaces them
 *   as a newer version;
 * - other bytes that a checkpoint covers are the log. They are never replaced: `forked`.
 */
async function writePiece({ path, bytes }: LogPiece, writing: Writing): Promise<void> {
  const { vault, conditional, lock, holds, refuseCovered, onStored } = writing;
  const key = auditKey(path);
  if (conditional.ifNoneMatch) {
    try {
      onStored(key, (await vault.put(key, bytes, { lock, holds, ifAbsent: true })).versionId);
      return;
    } catch (error) {
      if (!hasCode(error, "vault-exists")) throw error;
    }
  }
  const there = await look(vault, key, bytes);
  if (there?.same && covers(there.info.lock, lock)) return;
  if (there && !there.same) await refuseCovered();
  // The key is empty, hidden by a delete marker, or may be replaced. Write these bytes with their lock.
  const ifMatch = there && conditional.ifMatch ? { ifMatch: there.info.etag } : {};
  try {
    onStored(key, (await vault.put(key, bytes, { lock, holds, ...ifMatch })).versionId);
  } catch (error) {
    if (!hasCode(error, "vault-conflict")) throw error;
    // An attempt may have succeeded although its answer was lost.
    if ((await look(vault, key, bytes))?.same) return;
    holds();
    throw forked(`another writer writes ${key} at the same time`);
  }
}

/** What readers see at a key, and whether it is these bytes. Undefined if they see nothing. Untrusted. */
async function look(
  vault: Vault,
  key: string,
  bytes: Uint8Array,
): Promise<{ readonly info: ObjectInfo; readonly same: boolean } | undefined> {
  try {
    const info = await vault.head(key);
    // Compare sizes first: untrusted content may be huge.
    if (info.size !== bytes.length) return { info, same: false };
    const read = await vault.read(key, bytes.length);
    return { info: read.info, same: Buffer.compare(read.bytes, bytes) === 0 };
  } catch (error) {
    if (hasCode(error, "vault-missing")) return undefined;
    throw error;
  }
}
