import type { Entry, Policy } from "../audit/entry.ts";
import { Catalog } from "../catalog/catalog.ts";
import type { RetentionConfig } from "../config/config.ts";
import { HoldfastError } from "../error.ts";
import { type Fault, Replay } from "../retention/replay.ts";
import { Superseded } from "../retention/superseded.ts";

/** What of a subject says whether it might be destroyed; `policy.changed` is nobody's. */
export const TRAIL: ReadonlySet<Entry["type"]> = new Set([
  ...(["record.stored", "record.files", "lock.extended", "relationship.ended", "relationship.reopened"] as const),
  ...(["hold.placed", "hold.released", "purge.begun", "purge.withdrawn", "record.purged", "policy.changed"] as const),
]);

/** Entries of a certificate, in the log's order. */
export interface Replayed {
  readonly index: number;
  readonly entry: Entry;
}

/**
 * Holds the purges among these entries to the others. Throws `unverified` for the first that they do not allow. Gives
 * how many purges came before any rules, and so were held to none.
 * @param policy the rules before the log tells any; undefined where the reader knows none
 */
export function replayTrail(
  entries: readonly Replayed[],
  { origin, policy, now }: { origin: string; policy: RetentionConfig | undefined; now: Temporal.Instant },
): number {
  const index = Catalog.temporary(":memory:", origin);
  const superseded = new Superseded(":memory:");
  let first: Fault | undefined;
  const onFault = (fault: Fault): void => {
    first ??= fault;
  };
  try {
    const replay = new Replay({ index, superseded, policy, latest: () => now, onFault });
    index.applyKnown(replay.inOrder(entries));
    if (first) throw notAllowed(first);
    return replay.withoutPolicy;
  } finally {
    index.close();
    superseded.close();
  }
}

/** The rules that were in force last. */
export function rulesIn(trail: readonly Replayed[]): Policy | undefined {
  return trail.flatMap(({ entry }) => (entry.type === "policy.changed" ? [entry.to] : [])).at(-1);
}

function notAllowed({ entry, key, what }: Fault): HoldfastError {
  return new HoldfastError(
    "unverified",
    `the log does not bear this purge out: entry ${entry}${key ? `, ${key}` : ""}: ${what}`,
    {
      mend: "Do not rely on it. Keep the log, and run verify on the vault: it names every such entry.",
    },
  );
}
