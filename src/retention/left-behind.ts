import type { Catalog } from "../catalog/catalog.ts";
import { foldersOf } from "../vault/layout.ts";
import type { Vault } from "../vault/vault.ts";

/** An object that was purged according to the log, but whose bytes are still in the vault. */
export interface LeftBehind {
  readonly subject: string;
  readonly key: string;
  readonly size: number;
}

/**
 * What purges by earlier versions of Holdfast left in a directory: the plain name, which is a link to the bytes. Only
 * looks at subjects that were purged according to the log, so the cost does not depend on what is kept.
 */
export async function* leftBehind(vault: Vault, { purges }: Pick<Catalog, "purges">): AsyncGenerator<LeftBehind> {
  if (!vault.remains) return;
  for (const subject of purges.subjects()) {
    for (const folder of foldersOf(subject)) {
      for await (const { key, size } of vault.remains(folder)) {
        if (purges.stateOf(key) === "done") yield { subject, key, size };
      }
    }
  }
}
