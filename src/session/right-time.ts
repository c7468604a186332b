import { lastTime } from "../audit/last-time.ts";
import type { ClientConfig } from "../config/config.ts";
import { askedSources } from "../config/sources.ts";
import { refuseLoneClock, refuseWrongClock } from "../core/clock-check.ts";
import type { VaultDescription } from "../vault/description.ts";
import type { Vault } from "../vault/vault.ts";
import type { Session } from "./client.ts";
import { countRequest } from "./source-limits.ts";

/** The run does something irreversible. */
export interface Destroys {
  /** The day (UTC), if a person confirmed it. */
  readonly today: string | undefined;
}

/**
 * Throws if this machine's clock is wrong, because wrong locks could not be undone. S3 itself refuses requests with a
 * wrong time; a vault in a directory has only the provider and the log to compare with.
 * @param description undefined before `init`
 */
export async function checkTime(
  config: ClientConfig,
  session: Session,
  vault: Vault,
  description: VaultDescription | undefined,
  destroys?: Destroys,
): Promise<void> {
  const { now, skewOf, console } = session;
  const { id, vault: of } = config;
  if (of.kind !== "directory") return;
  const [last, skew] = await Promise.all([
    description && lastTime(vault, description),
    firstSkew(config, session, description !== undefined),
  ]);
  // If no server can be asked, the operator vouches for the clock.
  if (destroys && skewOf) refuseLoneClock(now(), { last, skew }, destroys.today);
  if (!refuseWrongClock(now(), { last, skew }) || last === undefined) return;
  console.log.warn("the log's last entry is dated in the future: a clock was wrong when it was written", {
    client: id,
    due: last.toString(),
  });
}

/**
 * How far the clock is ahead of the first provider that says its time. The question carries no key, and counts as a request
 * of the month's budget all the same.
 * @param hasState false before `init`, which writes nothing to the state until it has asked
 */
async function firstSkew(
  config: ClientConfig,
  { skewOf, now }: Session,
  hasState: boolean,
): Promise<number | undefined> {
  if (!skewOf) return undefined;
  for (const source of askedSources(config)) {
    if (source.apiKey === undefined || (hasState && !countRequest(config, source, now))) continue;
    const skew = await skewOf(source.url);
    if (skew !== undefined) return skew;
  }
  return undefined;
}
