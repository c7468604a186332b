import type { Catalog } from "../catalog/catalog.ts";
import type { Vault } from "../vault/vault.ts";
import type { Problem } from "./problem.ts";

/** A version in the vault that no entry mentions: left by a crash, or put there by somebody else. */
export interface Orphan {
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
}

/**
 * The vault against the log from the other side: lists every version of every object. One that hides or replaces what
 * the log mentions is a problem; one the log does not mention at all is an orphan, which does no harm: a later run
 * takes it up, or its lock ends.
 */
export async function findStrays(
  vault: Vault,
  index: Catalog,
  problem: (found: Problem) => void,
  orphan: (found: Orphan) => void,
): Promise<void> {
  for (const prefix of ["records/", "files/"]) {
    // Versions of the present key that are newer than the one the log mentions.
    let newer: Orphan[] = [];
    let present = "";
    let logged: string | undefined;
    let hidden = false;
    const settle = (): void => {
      for (const each of newer) orphan(each);
      if (hidden) problem({ key: present, what: "is hidden by a delete marker" });
      newer = [];
    };
    for await (const { key, versionId, size, deleteMarker } of vault.versions(prefix)) {
      if (key !== present) {
        settle();
        present = key;
        logged = index.objectVersion(key);
        hidden = false;
      }
      if (deleteMarker) {
        hidden ||= logged !== undefined && newer.length === 0;
      } else if (versionId === logged) {
        if (newer.length > 0) problem({ key, what: "was replaced: a newer version hides the one that was logged" });
        newer.splice(0).forEach(orphan);
      } else {
        newer.push({ key, versionId, size });
      }
    }
    settle();
  }
}
