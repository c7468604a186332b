import type { Catalog } from "../catalog/catalog.ts";
import type { Clock } from "../core/clock.ts";
import { hasCode } from "../core/error.ts";
import { isBefore, timestamp } from "../core/timestamp.ts";
import { cooledBefore, dueLock, type LockPolicy, soonOf } from "../retention/lock-due.ts";
import { noteTermsOf } from "../retention/notes.ts";
import { pastBounds } from "../retention/past.ts";
import { termsOf } from "../retention/terms.ts";
import type { Vault } from "../vault/vault.ts";
import type { Problem } from "./problem.ts";

/** The vault compared with the client's policy, apart from problems. */
export interface PolicyReport {
  /** Objects whose lock the next run will extend or harden. */
  readonly due: number;
  /** Objects past their retention date that no purge has deleted yet. */
  readonly past: number;
  /** Subjects under a legal hold, and subjects whose purge was interrupted. */
  readonly held: number;
  readonly unfinished: number;
  /** Objects that the store locks for longer than the log says, or holds without a case: no purge can delete them. */
  readonly stuck: number;
}

/**
 * Compares every object's lock with the policy: what must be kept must be locked, and what is held must be held in the
 * store. `index` has the whole log; whether the store agrees with the log is checked elsewhere.
 */
export async function auditPolicy(
  { vault, index, policy, now, check }: PolicyAudit,
  { problem, unlocked }: PolicyFindings,
): Promise<PolicyReport> {
  const at = now();
  const report = { due: 0, past: 0, held: 0, unfinished: index.purges.unfinished().length, stuck: index.seen.stuck() };
  for (const subject of mayDiffer(index, policy, at)) {
    const hasEnded = index.relationships.ended(subject) !== undefined;
    const holds = index.holds.of(subject).length > 0;
    if (holds) report.held += 1;
    const terms = termsOf(index, policy.retention, subject);
    for (const term of [...terms, ...noteTermsOf(index, subject, terms)]) {
      const { kind, key, versionId, until, lockedUntil } = term;
      if (index.purges.stateOf(key) === "begun") continue;
      if (holds && kind !== "note") await check(() => checkHeld(vault, key, versionId, problem));
      if (until !== undefined && Temporal.Instant.compare(until, at) <= 0) {
        if (kind !== "note") report.past += 1;
        continue;
      }
      if (dueLock(policy, term, hasEnded, at)) report.due += 1;
      if (Temporal.Instant.compare(Temporal.Instant.from(lockedUntil), at) > 0) continue;
      const law = until === undefined ? "while the relationship lasts" : `until ${until}`;
      unlocked({
        key,
        what: `must be kept ${law}, but its lock ended at ${lockedUntil}. Fix: run holdfast retention extend`,
      });
    }
  }
  return report;
}

/**
 * Everyone with something that may be due, past, held or no longer locked, and maybe others. Of anyone else there is
 * nothing to tell: their locks last and are of the configured mode, their relationship has not ended, and nothing of
 * theirs is old enough.
 */
function mayDiffer(index: Catalog, { retention, mode }: LockPolicy, at: Temporal.Instant): Iterable<string> {
  const soon = soonOf(retention, at);
  const { coolingOff } = retention;
  return index.subjects.remarkable({
    ...pastBounds(index, retention, at),
    lockedUpTo: (isBefore(soon, at) ? at : soon).toString(),
    soft: coolingOff && { mode, storedBefore: timestamp(cooledBefore(coolingOff, at)) },
  });
}

export interface PolicyAudit {
  readonly vault: Vault;
  readonly index: Catalog;
  readonly policy: LockPolicy;
  readonly now: Clock;
  /** Queues a check among the requests to the vault. */
  readonly check: (work: () => Promise<void>) => Promise<void>;
}

export interface PolicyFindings {
  readonly problem: (found: Problem) => void;
  /** Its lock ended when the log says, and no run extended it. */
  readonly unlocked: (found: Problem) => void;
}

async function checkHeld(
  vault: Vault,
  key: string,
  versionId: string,
  problem: (found: Problem) => void,
): Promise<void> {
  try {
    if ((await vault.head(key, versionId)).hold) return;
    problem({ key, what: "is under a legal hold, but the store does not hold it. Fix: run holdfast hold place again" });
  } catch (error) {
    // A missing object is reported with its own entry.
    if (!hasCode(error, "vault-missing", "malformed")) throw error;
  }
}
