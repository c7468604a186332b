import { HoldfastError } from "../core/error.ts";
import type { VaultDescription } from "../vault/description.ts";
import type { Vault } from "../vault/vault.ts";
import { Entries } from "./entries.ts";
import { AuditLog } from "./log.ts";
import { parseVerifier } from "./note.ts";

/**
 * The time of the log's last entry. Undefined if the log has no entry or it cannot be read: jobs that need the log
 * report what is wrong with it. Throws if the vault does not answer.
 */
export async function lastTime(
  vault: Vault,
  { log: { origin, vkey, former = [] } }: Pick<VaultDescription, "log">,
): Promise<Temporal.Instant | undefined> {
  try {
    const log = new AuditLog(vault, origin, [vkey, ...former].map(parseVerifier));
    const head = await log.head();
    const entry = head.size === 0 ? null : await new Entries({ log, head }).read(head.size - 1);
    return entry === null ? undefined : Temporal.Instant.from(entry.time);
  } catch (error) {
    if (error instanceof HoldfastError && !error.transient && error.code !== "interrupted") return undefined;
    throw error;
  }
}
