import { foldersOf } from "../vault/layout.ts";
import type { Vault, VersionInfo } from "../vault/vault.ts";

/** Every version of every object of a subject, including objects that no entry mentions. */
export async function* versionsOf(vault: Vault, subject: string): AsyncGenerator<VersionInfo> {
  for (const folder of foldersOf(subject)) yield* vault.versions(folder);
}
