import { differentKey } from "../audit/different-key.ts";
import { ownSigner } from "../audit/key.ts";
import { wasSeenUnder } from "../audit/last-seen.ts";
import { parseVerifier } from "../audit/note.ts";
import type { ClientConfig } from "../config/config.ts";
import type { SecretRef } from "../config/secret.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import type { VaultDescription } from "../vault/description.ts";

/** The log's private key from the config. Throws `config` if it is not a key, or the key of another log. */
export async function signerOf(key: SecretRef, origin: string) {
  const signer = ownSigner((await key.resolve()).reveal(), key.reference);
  if (signer.name === origin) return signer;
  throw new HoldfastError("config", `${key.reference} is a key of log ${signer.name}, not ${origin}`, {
    hint: "Set log.origin to the key's name, or give this log its own key.",
  });
}

/** The log's public key, derived from the private key in the config, if this machine has it. */
export async function ownKey({ log }: ClientConfig): Promise<string | undefined> {
  const isThere = await log.key.resolve().then(
    () => true,
    (error: unknown) => {
      if (hasCode(error, "config")) return false;
      throw error;
    },
  );
  return isThere ? (await signerOf(log.key, log.origin)).verifier.vkey : undefined;
}

/**
 * The vault names a different log key than the config. Either the config has the wrong file, or someone replaced
 * vault.json and the log. If this machine's last-seen checkpoint is signed with the vault's key, the config is wrong
 * (`config`). Otherwise this machine cannot tell, and reports the more serious of the two (`unverified`).
 */
export async function anotherLogKey(
  { state, log }: ClientConfig,
  { log: { origin, vkey } }: Pick<VaultDescription, "log">,
  url: string,
): Promise<HoldfastError> {
  if (await wasSeenUnder(state, origin, parseVerifier(vkey))) {
    return new HoldfastError("config", `${log.key.reference} is not the log key of this vault`, {
      hint: "Restore the key that init made. To hand the log over to a new key, name the old one as log.previousKey and run `holdfast init`.",
    });
  }
  const hint =
    "First check whether this file is the key that init made; if not, restore that key. If it is, someone replaced the log: stop every export, keep everything as it is, and tell the auditor.";
  return differentKey(`vault.json in ${url}`, vkey, log.key.reference, hint);
}
