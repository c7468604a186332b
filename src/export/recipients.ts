import { fingerprint } from "../config/recipients.ts";
import type { Ledger } from "../held/ledger.ts";
import { firstMode } from "../retention/first-lock.ts";
import { encodeDescription } from "../vault/description.ts";
import { VAULT_JSON } from "../vault/layout.ts";
import { lockFor } from "../vault/lock.ts";
import type { Exporting } from "./context.ts";

/** Whether the config's recipients differ from those in vault.json. */
function recipientsChanged({ config, description }: Exporting): boolean {
  return [...config.recipients.strings].sort().join() !== [...description.recipients].sort().join();
}

/**
 * Records a change of recipients: first in the log, then in vault.json, so that a crash in between logs it twice rather
 * than never. Objects that are already sealed do not change.
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
  log.warn("recipients changed: new records are sealed to the new recipients");
}
