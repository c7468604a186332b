import type { Vault, VersionInfo } from "../vault/vault.ts";

/** Where all objects of a subject lie. */
export function foldersOf(subject: string): readonly [records: string, files: string] {
  const under = `${subject.slice(0, 2)}/${subject}/`;
  return [`records/${under}`, `files/${under}`];
}

/** Every version of every object of a subject, also those that no entry mentions. */
export async function* versionsOf(vault: Vault, subject: string): AsyncGenerator<VersionInfo> {
  for (const folder of foldersOf(subject)) yield* vault.versions(folder);
}
