import { ownSigner } from "../audit/key.ts";
import type { ClientConfig } from "../config/config.ts";
import type { SecretRef } from "../config/secret.ts";
import { RESTORE_LOOKUP_KEY, Tokens } from "../record/tokens.ts";
import type { VaultDescription } from "../vault/description.ts";
import { type Finding, failed, findings } from "./finding.ts";
import { isToBeMade } from "./secrets.ts";

const { ok, warning, failure } = findings("keys");

/** Checks that recipients, log key and lookup key match the vault. `vault` is undefined before `init`. */
export async function checkKeys(
  config: ClientConfig,
  vault: VaultDescription | undefined,
  isNew: boolean,
): Promise<Finding[]> {
  const isThere = async (key: SecretRef): Promise<boolean> => !isNew || !(await isToBeMade(config, key));
  return [
    ...checkRecipients(config, vault),
    ...((await isThere(config.log.key)) ? [await checked(() => checkLogKey(config, vault))] : []),
    ...((await isThere(config.lookups.key)) ? [await checked(() => checkLookupKey(config, vault, isNew))] : []),
  ];
}

function checkRecipients({ recipients }: ClientConfig, vault: VaultDescription | undefined): Finding[] {
  const { strings, kind } = recipients;
  const found = [
    strings.length === 1
      ? warning(
          "one recipient only",
          "Add a second, kept in escrow: if the only private key is lost, so is every record.",
        )
      : ok(`${strings.length} recipients (${kind})`),
  ];
  const added = strings.filter((each) => !vault?.recipients.includes(each)).length;
  const gone = vault?.recipients.filter((each) => !strings.includes(each)).length ?? 0;
  if (vault && added + gone > 0) {
    const hint =
      "If you changed them, the next export logs it (recipients.changed). If not, find out who changed the config before it runs.";
    found.push(warning(`recipients differ from the vault's: ${added} added, ${gone} removed`, hint));
  }
  return found;
}

async function checkLogKey({ log, id }: ClientConfig, vault: VaultDescription | undefined): Promise<Finding> {
  const { name, verifier } = ownSigner((await log.key.resolve()).reveal(), log.key.reference);
  if (name !== log.origin) {
    return failure(
      `${log.key} is the key of a different log, not of ${log.origin}`,
      "Set it to the key that init made for this client.",
    );
  }
  if (!vault) return ok("the log key can be read");
  if (verifier.vkey === vault.log.vkey) return ok("the log key is the vault's");
  const former = log.previousKey !== undefined;
  return failure(
    `${log.key} is not the log key of this vault`,
    former
      ? `Run \`holdfast init --client ${id}\`: it hands the log over from log.previousKey.`
      : "Restore the key that init made. To hand the log over to a new key, name the old one as log.previousKey and run `holdfast init`.",
  );
}

async function checkLookupKey(
  { lookups }: ClientConfig,
  vault: VaultDescription | undefined,
  isNew: boolean,
): Promise<Finding> {
  const key = await lookups.key.resolve();
  const tokens = isNew ? new Tokens(key) : new Tokens(key, RESTORE_LOOKUP_KEY);
  if (!vault) return ok("the lookup key can be read");
  if (tokens.check() === vault.lookups.check) return ok("the lookup key is the vault's");
  return failure(`${lookups.key} is not the lookup key of this vault`, RESTORE_LOOKUP_KEY);
}

async function checked(work: () => Promise<Finding>): Promise<Finding> {
  try {
    return await work();
  } catch (error) {
    return failed("keys", error);
  }
}
