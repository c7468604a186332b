import { fingerprint } from "../config/recipients.ts";
import type { Ledger } from "../held/ledger.ts";
import { firstMode } from "../retention/first-lock.ts";
import { encodeDescription } from "../vault/description.ts";
import { VAULT_JSON } from "../vault/layout.ts";
import { lockFor } from "../vault/lock.ts";
import type { Exporting } from "./context.ts";

/** Whether the config seals to others than the vault's description says. */
function recipientsChanged({ config, description }: Exporting): boolean {
  return [...config.recipients.strings].sort().join() !== [...description.recipients].sort().join();
}

/**
 * From this run on it is sealed to others: said in the log first, then in vault.json, so that a crash between the two
 * says it twice rather than never. What is sealed already stays as it is.
 */
export async function noteRecipients(exporting: Exporting, ledger: Ledger): Promise<void> {
  if (!recipientsChanged(exporting)) return;
  const { config, description, vault, now, holds, log } = exporting;
  await ledger.log({
    type: "recipients.changed",
    from: description.recipients.map(fingerprint),
    to: [...config.recipients.fingerprints],
  });
  await vault.put(VAULT_JSON, encodeDescription({ ...description, recipients: [...config.recipients.strings] }), {
    lock: lockFor(firstMode(config), config.retention.initialLock, now()),
    holds,
  });
  log.warn("recipients changed: from now on it is sealed to others");
}
