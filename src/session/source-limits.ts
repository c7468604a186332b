import { join } from "node:path";
import type { ClientConfig } from "../config/config.ts";
import type { ActiveSourceConfig } from "../config/source-config.ts";
import type { Clock } from "../core/clock.ts";
import { hasCode } from "../core/error.ts";
import { Limits } from "../source/rate/limits.ts";
import { SharedLimits } from "../source/rate/shared-limits.ts";

/**
 * The file with the limits of a source, which all processes on this machine share. The first source of all versions
 * before `sources` was called passbase.
 */
export function limitsPath({ state }: Pick<ClientConfig, "state">, name: string): string {
  return join(state, name === "passbase" ? "limits.sqlite" : `limits-${name}.sqlite`);
}

/** Counts a request to a source that is not yet open. False if the month's budget is used up: then do not send it. */
export function countRequest(
  client: Pick<ClientConfig, "state">,
  { name, rate, budget }: Pick<ActiveSourceConfig, "name" | "rate" | "budget">,
  clock: Clock,
): boolean {
  if (budget === undefined) return true;
  const limits = new Limits(rate, { store: new SharedLimits(limitsPath(client, name)), budget, clock });
  try {
    limits.spend();
    return true;
  } catch (error) {
    if (hasCode(error, "source-budget")) return false;
    throw error;
  } finally {
    limits.close();
  }
}
