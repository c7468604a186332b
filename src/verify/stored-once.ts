import { MAX_NOTE } from "../audit/note.ts";
import { hasCode } from "../core/error.ts";
import { CHECKPOINT, LEASE } from "../vault/layout.ts";
import { LEASE_LIMIT, parseClaim } from "../vault/lease.ts";
import type { Vault } from "../vault/vault.ts";
import { checkLocked, readLogObject } from "./log-object.ts";
import type { Lockless, Problem } from "./problem.ts";

/** Checks how the vault keeps the checkpoint; its content was verified before. */
export async function checkCheckpoint(
  vault: Vault,
  now: Temporal.Instant,
  unlocked: (found: Lockless) => void,
  problem: (found: Problem) => void,
): Promise<void> {
  const piece = await readLogObject(vault, CHECKPOINT, MAX_NOTE, problem);
  if (piece) checkLocked(piece, now, unlocked);
}

/** A lease, if there is one, must be valid: an invalid one keeps every run out of the vault. */
export async function checkLease(vault: Vault, problem: (found: Problem) => void): Promise<void> {
  if (!(await isThere(vault, LEASE))) return;
  const piece = await readLogObject(vault, LEASE, LEASE_LIMIT, problem);
  try {
    if (piece) parseClaim(vault, piece.bytes);
  } catch (error) {
    if (!hasCode(error, "malformed")) throw error;
    problem({ key: LEASE, what: "is not a valid lease" });
  }
}

async function isThere(vault: Vault, key: string): Promise<boolean> {
  try {
    await vault.head(key);
    return true;
  } catch (error) {
    if (hasCode(error, "vault-missing")) return false;
    if (hasCode(error, "malformed")) return true;
    throw error;
  }
}
