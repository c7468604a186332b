import { openCheckpoint } from "../audit/checkpoint.ts";
import type { Head } from "../audit/log.ts";
import { MAX_NOTE, type Verifier } from "../audit/note.ts";
import { hasCode } from "../error.ts";
import { CHECKPOINT } from "../vault/layout.ts";
import type { Vault } from "../vault/vault.ts";
import type { Problem } from "./problem.ts";

/** An earlier head of the log, which the present one must continue. */
export interface Earlier {
  readonly size: number;
  readonly root: Uint8Array;
  readonly versionId: string;
}

/**
 * The checkpoints that the vault keeps behind the present one, smallest first: the store's own memory of the log.
 * Signed ones only are evidence; a version that does not open, or that a later one fell behind, is a problem.
 */
export async function checkpointHistory(
  vault: Vault,
  head: Head,
  verifiers: readonly Verifier[],
  problem: (found: Problem) => void,
): Promise<Earlier[]> {
  const found: Earlier[] = [];
  let newer = head.size;
  for await (const { key, versionId, deleteMarker } of vault.versions(CHECKPOINT)) {
    if (key !== CHECKPOINT || versionId === head.versionId) continue;
    if (deleteMarker) {
      problem({ key, what: "was hidden by a delete marker" });
      continue;
    }
    const earlier = await openVersion(vault, head.origin, verifiers, versionId);
    if (earlier === undefined) {
      problem({ key, what: `version ${versionId} is not a checkpoint that the log's key signed` });
      continue;
    }
    if (earlier.size > newer) {
      problem({
        key,
        what: `the log had ${earlier.size} entries, and a later checkpoint has ${newer}: it was cut short`,
      });
    } else {
      newer = earlier.size;
    }
    if (earlier.size <= head.size) found.push({ ...earlier, versionId });
  }
  return found.sort((a, b) => a.size - b.size);
}

async function openVersion(vault: Vault, origin: string, verifiers: readonly Verifier[], versionId: string) {
  try {
    return openCheckpoint((await vault.read(CHECKPOINT, MAX_NOTE, versionId)).bytes, origin, verifiers);
  } catch (error) {
    if (hasCode(error, "malformed", "unverified", "vault-missing")) return undefined;
    throw error;
  }
}
