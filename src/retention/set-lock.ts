import { setTimeout as delay } from "node:timers/promises";
import { hasCode } from "../core/error.ts";
import { covers } from "../vault/lock.ts";
import type { Lock, Vault } from "../vault/vault.ts";

/** Pauses in ms before a refusal is final: some stores refuse a lock in the seconds after the object's PUT. */
const PAUSES = [250, 1_000, 4_000];

/**
 * Sets a longer lock. If a store refuses to change the mode, keeps the current one: governance becomes compliance only
 * with a right that an exporter should not have. Returns the mode now in effect.
 * @param harden use that right, if it is granted
 */
export async function setLock(
  vault: Vault,
  key: string,
  versionId: string,
  lock: Lock,
  { harden = false, pauses = PAUSES }: { harden?: boolean; pauses?: readonly number[] } = {},
): Promise<Lock["mode"]> {
  // With that right, a store would also shorten a governance lock that lasts longer than any entry says.
  const atLeast = harden ? later(await vault.lockOf(key, versionId), lock) : lock;
  for (let refusals = 0; ; refusals++) {
    try {
      await vault.lock(key, versionId, atLeast, harden);
      return lock.mode;
    } catch (error) {
      if (!hasCode(error, "vault-locked")) throw error;
      const is = await vault.lockOf(key, versionId);
      if (is !== null && covers(is, { ...lock, mode: is.mode })) return is.mode;
      if (is !== null && is.mode !== lock.mode)
        return setLock(vault, key, versionId, { ...lock, mode: is.mode }, { pauses });
      const pause = pauses[refusals];
      if (pause === undefined) throw error;
      await delay(pause);
    }
  }
}

function later(is: Lock | null, lock: Lock): Lock {
  return is !== null && Temporal.Instant.compare(is.until, lock.until) > 0 ? { ...lock, until: is.until } : lock;
}
