import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { HoldfastError, hasCode } from "../error.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { state } from "./journal.ts";
import type { AuditLog, Head } from "./log.ts";
import { verifyConsistency } from "./merkle.ts";
import { consistencyProof } from "./proof.ts";

const lastSeen = (folder: string): string => join(folder, "checkpoint");

/** Durable before the journal lets go of what the checkpoint covers. */
export async function rememberHead(folder: string, note: Uint8Array): Promise<void> {
  await state("remember the checkpoint", async () => {
    await mkdir(folder, { recursive: true });
    const temporary = `${lastSeen(folder)}.new`;
    const file = await open(temporary, "w", 0o600);
    try {
      await file.writeFile(note);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, lastSeen(folder));
  });
}

/**
 * The vault's log must continue the one last seen here: nobody may cut it short or write it anew. False where this
 * machine never saw it.
 */
export async function checkAgainstLastSeen(folder: string, log: AuditLog, head: Head): Promise<boolean> {
  const note = await state("read the last checkpoint", async () => {
    return readFile(lastSeen(folder)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
  });
  if (note === null) return false;
  const seen = openCheckpoint(note, log.origin, log.verifiers);
  if (seen.size > head.size) {
    throw forked(`it had ${seen.size} entries when this machine last saw it, and has ${head.size} now`);
  }
  try {
    verifyConsistency(
      seen.size,
      seen.root,
      head.size,
      head.root,
      await consistencyProof(seen.size, head.size, log.tile),
    );
  } catch (error) {
    if (hasCode(error, "unverified")) throw forked(`its first ${seen.size} entries are not those this machine saw`);
    throw error;
  }
  return true;
}

export function forked(what: string): HoldfastError {
  return new HoldfastError("forked", `the audit log in the vault is not the one this machine knows: ${what}`, {
    mend: "Stop every export to this vault. Compare the versions of audit/checkpoint in the vault with the state directory: either another writer was at work, or somebody replaced the log. Do not delete either side; both are evidence.",
  });
}
