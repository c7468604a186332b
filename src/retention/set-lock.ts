import { setTimeout as delay } from "node:timers/promises";
import { hasCode } from "../core/error.ts";
import { covers } from "../vault/lock.ts";
import type { Lock, Vault } from "../vault/vault.ts";

/** Pauses in ms before a refusal is believed: some stores refuse a lock in the seconds after the object's PUT. */
const PAUSES = [250, 1_000, 4_000];

/**
 * Sets a longer lock, in the mode that is there where a store refuses to change it: governance becomes compliance only
 * with a right that an exporter should not have. Gives the mode that holds now.
 * @param harden that right is asked for, if it is there
 */
export async function setLock(
  vault: Vault,
  key: string,
  versionId: string,
  lock: Lock,
  { harden = false, pauses = PAUSES }: { harden?: boolean; pauses?: readonly number[] } = {},
): Promise<Lock["mode"]> {
  // With that right a store would also shorten a governance lock that lasts longer than anyone logged.
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
