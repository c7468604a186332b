import { HoldfastError, ownError } from "../core/error.ts";
import type { Work } from "./work.ts";

/**
 * Every version and delete marker of one key, the oldest first: what readers see goes last. Then whatever else the bytes
 * could be read by. Gives how many versions and markers there were.
 */
export async function removeAll({ vault, holds }: Pick<Work, "vault" | "holds">, key: string): Promise<number> {
  const versions: string[] = [];
  for await (const version of vault.versions(key)) if (version.key === key) versions.push(version.versionId);
  for (const versionId of versions.reverse()) {
    // Also for what is past: a clock that jumped ahead would take what must be kept.
    holds();
    try {
      await vault.deleteVersion(key, versionId);
    } catch (error) {
      const own = ownError(error);
      if (own?.code !== "vault-locked") throw error;
      throw new HoldfastError("vault-locked", `${key}: the store refuses to remove a version: ${own.message}`, {
        cause: error,
        hint: "A lock or a hold that the log does not know, or no right to delete versions. hold release --subject lifts a hold that no case stands for; a lock has to end.",
      });
    }
  }
  await vault.clear?.(key);
  return versions.length;
}
