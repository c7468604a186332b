import type { AuditLog, Head } from "../audit/log.ts";
import type { ClientConfig } from "../config/config.ts";
import { HoldfastError, hasCode, ownError } from "../core/error.ts";
import { CHECKPOINT, VAULT_JSON } from "../vault/layout.ts";
import { openVault } from "../vault/open.ts";
import { Inventory } from "../verify/inventory.ts";
import { openPlace } from "../verify/inventory-place.ts";
import { wasDescribed } from "../verify/vault-description.ts";
import { type ClientVault, openClientVault, type Session } from "./client.ts";

/** A changed or missing vault.json is not a config error, nor a vault before `init`. */
export async function openDescribed(config: ClientConfig, session: Session): Promise<ClientVault & AsyncDisposable> {
  try {
    return await openClientVault(config, session);
  } catch (error) {
    if (!hasCode(error, "config", "vault-missing", "malformed")) throw error;
    await using opened = new AsyncDisposableStack();
    const vault = await openVault(config.vault, { signal: session.signal });
    opened.defer(() => vault.close());
    if (!hasCode(error, "malformed") && !(await wasDescribed(vault, config.id, config.log.origin))) throw error;
    const missing = hasCode(error, "vault-missing");
    throw new HoldfastError("incomplete", `${vault.url}/${VAULT_JSON} ${missing ? "is missing" : "was changed"}`, {
      cause: error,
      hint: "Keep the current one as evidence. The vault may still have earlier versions.",
    });
  }
}

/** The log's head. Errors name the checkpoint object. */
export async function openHead(log: AuditLog): Promise<Head> {
  try {
    return await log.head();
  } catch (error) {
    const own = ownError(error);
    if (!own || !hasCode(own, "incomplete", "malformed", "unverified")) throw error;
    const what = ownError(own.cause) ?? own;
    throw new HoldfastError(own.code, `${CHECKPOINT} cannot be trusted: ${what.message}`, {
      cause: error,
      hint: "Keep it as evidence. The vault has its earlier versions, each with the log at that time.",
    });
  }
}

/** The locks of a vault's bucket, as an S3 Inventory has them. */
export async function readInventory(
  address: string,
  { id, vault }: ClientConfig,
  path: string,
  { signal, now, console }: Session,
): Promise<Inventory> {
  if (vault.kind !== "s3") {
    throw new HoldfastError("usage", `${id}: --inventory is for vaults in S3`, {
      hint: "Leave it out: in a directory, verify looks at every lock.",
    });
  }
  await using place = await openPlace(address, vault, signal);
  const inventory = await Inventory.read(place, { ...vault, now: now() }, path, signal);
  console.log.info(`read the inventory of ${inventory.created}`, { client: id });
  return inventory;
}
