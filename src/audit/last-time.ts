import { HoldfastError } from "../core/error.ts";
import type { VaultDescription } from "../vault/description.ts";
import type { Vault } from "../vault/vault.ts";
import { Entries } from "./entries.ts";
import { AuditLog } from "./log.ts";
import { parseVerifier } from "./note.ts";

/**
 * When the log's last entry was made; undefined where it has none, or none that can be read: what is wrong with a log is
 * for those to say who need it. Throws where the vault does not answer.
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
