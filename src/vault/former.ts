import { join } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { fileAt } from "../io/is-there.ts";
import { CHECKPOINT, VAULT_JSON } from "./layout.ts";
import type { Vault } from "./vault.ts";

/**
 * The checkpoint that this machine saw last.
 * @param state the client's own folder on this machine
 */
export const lastSeenIn = (state: string): string => join(state, "checkpoint");

/**
 * Where there is no vault.json: throws `incomplete` if the store has versions of it or of the log, or if this machine saw
 * a log there. Then someone emptied the vault, or vault.url is wrong, and `init` must not start another.
 */
export async function refuseFormer(vault: Vault, state: string): Promise<void> {
  await refuseHidden(vault, VAULT_JSON);
  // vault.json was written first, so it is missing where the log is there.
  for await (const { key } of vault.versions(CHECKPOINT)) if (key === CHECKPOINT) throw hidden(vault, VAULT_JSON);
  const seen = lastSeenIn(state);
  if ((await fileAt(seen)) === undefined) return;
  throw new HoldfastError("incomplete", `${vault.url} is empty, but this machine has seen a log there (${seen})`, {
    hint: "Correct vault.url, mount its folder, or find out who emptied the vault. For a new vault, use a separate state directory.",
  });
}

/**
 * If a part of the vault is missing but the store has versions of it, someone hid or deleted it, and nothing may be
 * created in its place. Throws `incomplete`.
 */
export async function refuseHidden(vault: Vault, key: string): Promise<void> {
  for await (const version of vault.versions(key)) if (version.key === key) throw hidden(vault, key);
}

function hidden(vault: Vault, key: string): HoldfastError {
  return new HoldfastError(
    "incomplete",
    `${vault.url}/${key} is missing but existed before: someone hid or deleted it`,
    {
      hint: "Nothing was written. Keep what you see as evidence. Restore the newest version (in S3, remove the delete marker), then run `holdfast verify`.",
    },
  );
}
