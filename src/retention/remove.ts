import { HoldfastError, ownError } from "../core/error.ts";
import type { Work } from "./work.ts";

/**
 * Deletes every version and delete marker of one key, the oldest first: what readers see goes last. Then deletes any
 * other name for the bytes. Returns how many versions and markers there were.
 */
export async function removeAll({ vault, holds }: Pick<Work, "vault" | "holds">, key: string): Promise<number> {
  const versions: string[] = [];
  for await (const version of vault.versions(key)) if (version.key === key) versions.push(version.versionId);
  for (const versionId of versions.reverse()) {
    // Also for what is past its date: with a clock that jumped ahead, this would delete what must be kept.
    holds();
    try {
      await vault.deleteVersion(key, versionId);
    } catch (error) {
      const own = ownError(error);
      if (own?.code !== "vault-locked") throw error;
      throw new HoldfastError("vault-locked", `${key}: the store refuses to delete a version: ${own.message}`, {
        cause: error,
        hint: "The cause is a lock or hold that is not in the log, or no right to delete versions. hold release --subject releases a hold without a case; a lock must end first.",
      });
    }
  }
  await vault.clear?.(key);
  return versions.length;
}
