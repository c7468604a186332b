import type { Catalog } from "../catalog/catalog.ts";
import { foldersOf } from "../vault/layout.ts";
import type { Vault } from "../vault/vault.ts";

/** An object that the log says is purged, and whose bytes lie in the vault all the same. */
export interface LeftBehind {
  readonly subject: string;
  readonly key: string;
  readonly size: number;
}

/**
 * What purges of earlier versions left in a directory: the plain name, which is a link to the bytes. Only subjects that
 * the log names are looked at, so the cost is that of what was purged, not of what is kept.
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
