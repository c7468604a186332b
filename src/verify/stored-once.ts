import { MAX_SIGNED_NOTE } from "../audit/note.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { hasCode } from "../core/error.ts";
import type { LockPolicy } from "../retention/lock-due.ts";
import { parsePolicy } from "../retention/policy.ts";
import { CHECKPOINT, LEASE } from "../vault/layout.ts";
import { LEASE_LIMIT, parseClaim } from "../vault/lease-claims.ts";
import { lockFor } from "../vault/lock.ts";
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
  const piece = await readLogObject(vault, CHECKPOINT, MAX_SIGNED_NOTE, problem);
  if (piece) checkLocked(piece, now, unlocked);
}

/**
 * Whether the checkpoint's lock ended by itself. Every writer of a checkpoint locks it for `initialLock`, after its newest
 * entry, and later runs only lengthen the lock: one that ended earlier was shortened. Of the logged policy and the
 * config's, which a command may use before a run logs it, the shorter lock counts.
 * @param logged when the newest entry was logged
 */
export function couldRunOut(
  { ended }: Lockless,
  logged: string | undefined,
  { retention }: LockPolicy,
  index: Catalog,
): boolean {
  if (ended === null || logged === undefined) return false;
  const locks = [retention.initialLock, ...loggedLock(index)].map(
    (initial) => lockFor("governance", initial, Temporal.Instant.from(logged)).until,
  );
  return locks.some((until) => Temporal.Instant.compare(ended, until) >= 0);
}

/** The `initialLock` of the last policy in the log. */
function loggedLock(index: Catalog): Temporal.Duration[] {
  const words = index.runs.policy();
  try {
    return words ? [parsePolicy(words).initialLock] : [];
  } catch (error) {
    if (!hasCode(error, "malformed")) throw error;
    return [];
  }
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
