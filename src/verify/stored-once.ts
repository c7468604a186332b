import { MAX_NOTE } from "../audit/note.ts";
import { hasCode } from "../core/error.ts";
import { CHECKPOINT, LEASE } from "../vault/layout.ts";
import { LEASE_LIMIT, parseClaim } from "../vault/lease.ts";
import type { Vault } from "../vault/vault.ts";
import { checkLocked, readLogObject } from "./log-object.ts";
import type { Problem } from "./problem.ts";

/** The checkpoint's bytes were opened before; here, how the vault keeps them. @param due when it must be locked */
export async function checkCheckpoint(
  vault: Vault,
  due: Temporal.Instant | undefined,
  problem: (found: Problem) => void,
): Promise<void> {
  const piece = await readLogObject(vault, CHECKPOINT, MAX_NOTE, problem);
  if (piece && due) checkLocked(piece, due, problem);
}

/** Where there is a lease, it is one: what is none keeps every run from the vault. */
export async function checkLease(vault: Vault, problem: (found: Problem) => void): Promise<void> {
  if (!(await isThere(vault, LEASE))) return;
  const piece = await readLogObject(vault, LEASE, LEASE_LIMIT, problem);
  try {
    if (piece) parseClaim(vault, piece.bytes);
  } catch (error) {
    if (!hasCode(error, "malformed")) throw error;
    problem({ key: LEASE, what: "is not a lease" });
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
