import { lastTime } from "../audit/last-time.ts";
import type { ClientConfig } from "../config/config.ts";
import { refuseLoneClock, refuseWrongClock } from "../core/clock-check.ts";
import type { VaultDescription } from "../vault/description.ts";
import type { Vault } from "../vault/vault.ts";
import type { Session } from "./client.ts";

/** What the run does cannot be undone, by any clock. */
export interface Destroys {
  /** The day (UTC), where a person named it. */
  readonly today: string | undefined;
}

/**
 * Throws where this machine's clock is wrong: its locks could not be undone. S3 refuses requests of such a clock by
 * itself; a vault in a directory has no one but the provider and the log to say what time it is.
 * @param description undefined for a vault that is not one yet
 */
export async function checkTime(
  { id, vault: { kind }, source }: ClientConfig,
  { now, skewOf, console }: Session,
  vault: Vault,
  description: VaultDescription | undefined,
  destroys?: Destroys,
): Promise<void> {
  if (kind !== "directory") return;
  const [last, skew] = await Promise.all([description && lastTime(vault, description), skewOf?.(source.url)]);
  // Where no one can be asked, who runs this vouches for its clock.
  if (destroys && skewOf) refuseLoneClock(now(), { last, skew }, destroys.today);
  if (!refuseWrongClock(now(), { last, skew }) || last === undefined) return;
  console.log.warn("the log's last entry is from the future: a clock was wrong when it was made", {
    client: id,
    due: last.toString(),
  });
}
