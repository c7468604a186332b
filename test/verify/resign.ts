import { rm } from "node:fs/promises";
import { join } from "node:path";
import { signCheckpoint } from "../../src/audit/checkpoint.ts";
import { Frontier } from "../../src/audit/frontier.ts";
import { leafHash } from "../../src/audit/merkle.ts";
import type { Signer } from "../../src/audit/note.ts";
import { encodeBundle, newBundles, TILE_WIDTH, tilePath } from "../../src/audit/tile.ts";
import { auditKey, CHECKPOINT } from "../../src/vault/layout.ts";
import type { Vault } from "../../src/vault/vault.ts";

const lock = { mode: "governance", until: Temporal.Instant.from("2040-01-01T00:00:00Z") } as const;

/** Writes the log again with these entries, as an attacker with a log key could: all objects match each other. */
export async function rewriteLog(vault: Vault, entries: readonly Uint8Array[], signer: Signer): Promise<void> {
  const frontier = new Frontier();
  for (const { path, bytes } of frontier.append(entries.map(leafHash)))
    await vault.put(auditKey(path), bytes, { lock });
  for (const bundle of newBundles(0, entries.length)) {
    const first = bundle.index * TILE_WIDTH;
    const bytes = encodeBundle(entries.slice(first, first + bundle.width));
    await vault.put(auditKey(tilePath(bundle)), bytes, { lock });
  }
  await sign(vault, { size: entries.length, root: frontier.root() }, signer);
}

export async function sign(vault: Vault, tree: { size: number; root: Uint8Array }, signer: Signer): Promise<void> {
  await vault.put(CHECKPOINT, Buffer.from(signCheckpoint({ origin: signer.name, ...tree }, signer)), { lock });
}

/** Removes a key's earlier versions with their metadata, as only the disk's owner can: as if they had never existed. */
export async function forgetEarlier(vault: Vault, root: string, key: string): Promise<void> {
  let newest = true;
  for await (const { key: found, versionId } of vault.versions(key)) {
    if (found !== key) continue;
    if (!newest) for (const end of ["", ".json"]) await rm(join(root, ".versions", key, versionId + end));
    newest = false;
  }
}
