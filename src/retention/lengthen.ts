import { hasCode } from "../error.ts";
import { covers } from "../vault/lock.ts";
import type { Lock, Vault } from "../vault/vault.ts";

/**
 * Sets a longer lock, in the mode that is there where a store refuses to change it: governance becomes compliance only
 * with a right that an exporter should not have. Gives the mode that holds now.
 */
export async function lengthen(vault: Vault, key: string, versionId: string, lock: Lock): Promise<Lock["mode"]> {
  try {
    await vault.lock(key, versionId, lock);
    return lock.mode;
  } catch (error) {
    if (!hasCode(error, "vault-locked")) throw error;
    const { lock: is } = await vault.head(key, versionId);
    if (is !== null && covers(is, { ...lock, mode: is.mode })) return is.mode;
    if (is === null || is.mode === lock.mode) throw error;
    await vault.lock(key, versionId, { ...lock, mode: is.mode });
    return is.mode;
  }
}
