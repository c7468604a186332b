import type { Catalog } from "../catalog/catalog.ts";
import { covers } from "../vault/lock.ts";
import type { Lock } from "../vault/vault.ts";
import type { Outcome } from "./outcomes.ts";

/**
 * What an object of a manifest still needs, by the log: `gone`: it was purged, is being purged, or was stored again in
 * another version; `done`: the log already has a lock as long and as hard; `due`: it has not.
 */
export type ClaimStanding = "gone" | "done" | "due";

export function standing(catalog: Catalog, { key, versionId }: Outcome, lock: Lock): ClaimStanding {
  const promised = catalog.objects.get(key);
  // Of an object whose purge began, an entry would say that it is still there.
  if (promised?.versionId !== versionId || catalog.purges.stateOf(key) === "begun") return "gone";
  const is = { mode: promised.lockMode, until: Temporal.Instant.from(promised.lockedUntil) };
  return covers(is, lock) ? "done" : "due";
}
