import type { Catalog } from "../catalog/catalog.ts";
import type { Clock } from "../core/clock.ts";
import { hasCode } from "../core/error.ts";
import { dueLock, type Policy } from "../retention/lock-due.ts";
import { termsOf } from "../retention/terms.ts";
import type { Vault } from "../vault/vault.ts";
import type { Problem } from "./problem.ts";

/** What the client's policy says of the vault, besides what is wrong with it. */
export interface PolicyReport {
  /** Objects whose lock is to be extended or hardened by the next run. */
  readonly due: number;
  /** Objects that no one must keep any more, and that no purge has taken yet. */
  readonly past: number;
  /** Subjects under a legal hold, and subjects whose purge was stopped in the middle. */
  readonly held: number;
  readonly unfinished: number;
  /** Objects that the store locks for longer than the log says, or holds though no case stands: no purge can take them. */
  readonly stuck: number;
}

/**
 * Every object's lock against the policy: what must be kept is locked, and what is held is held in the store. The log
 * has been read into `index`; that the store does what the log says is checked elsewhere.
 */
export async function auditPolicy(
  { vault, index, policy, now, check }: PolicyAudit,
  problem: (found: Problem) => void,
): Promise<PolicyReport> {
  const at = now();
  const report = { due: 0, past: 0, held: 0, unfinished: index.purges.unfinished().length, stuck: index.seen.stuck() };
  for (const subject of index.subjects.all()) {
    const hasEnded = index.relationships.ended(subject) !== undefined;
    const holds = index.holds.of(subject).length > 0;
    if (holds) report.held += 1;
    for (const term of termsOf(index, policy.retention, subject)) {
      const { key, versionId, until, lockedUntil } = term;
      if (index.purges.stateOf(key) === "begun") continue;
      if (holds) await check(() => checkHeld(vault, key, versionId, problem));
      if (until !== undefined && Temporal.Instant.compare(until, at) <= 0) {
        report.past += 1;
        continue;
      }
      if (dueLock(policy, term, hasEnded, at)) report.due += 1;
      if (Temporal.Instant.compare(Temporal.Instant.from(lockedUntil), at) > 0) continue;
      const law = until === undefined ? "while the relationship lasts" : `until ${until}`;
      problem({
        key,
        what: `must be kept ${law}, and its lock ended at ${lockedUntil}; retention extend locks it again`,
      });
    }
  }
  return report;
}

export interface PolicyAudit {
  readonly vault: Vault;
  readonly index: Catalog;
  readonly policy: Policy;
  readonly now: Clock;
  /** Waits its turn among the requests to the vault. */
  readonly check: (work: () => Promise<void>) => Promise<void>;
}

async function checkHeld(
  vault: Vault,
  key: string,
  versionId: string,
  problem: (found: Problem) => void,
): Promise<void> {
  try {
    if ((await vault.head(key, versionId)).hold) return;
    problem({ key, what: "is under a legal hold, and the store does not hold it; hold place does it again" });
  } catch (error) {
    // That it is missing is told with its own entry.
    if (!hasCode(error, "vault-missing", "malformed")) throw error;
  }
}
