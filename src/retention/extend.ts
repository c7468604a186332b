import type PQueue from "p-queue";
import { HoldfastError, hasCode } from "../core/error.ts";
import { type Due, dueOf, dueSubjects, finalDates, toSecond } from "./due.ts";
import { extendLog } from "./extend-log.ts";
import { InARow } from "./in-a-row.ts";
import { inTurn, locksQueue } from "./in-turn.ts";
import { logLocks } from "./log-locks.ts";
import { setLock } from "./set-lock.ts";
import type { Work } from "./work.ts";

export interface Extended {
  /** Subjects and objects that now have a longer or harder lock. */
  readonly subjects: number;
  readonly objects: number;
  /** Parts of the log and the vault's description, which are all extended together. */
  readonly pieces: number;
  /** Objects with a due lock that could not be extended. */
  readonly failed: number;
}

/** How many subjects are locked before the locks are logged. */
const BATCH = 500;

/**
 * Extends every lock that has less than `extendWhenLessThan` left on an object that must be kept: to `initialLock` from
 * now, but never beyond the date the law sets. If a relationship has ended, locks its objects to exactly that date.
 * After a cooling-off period, governance becomes compliance. The lock comes first, then the entry: the log must not
 * promise a lock that does not exist. If this is interrupted, the next run extends what is still due. Then extends the
 * log's own parts, if they are due.
 * @param ofLog whether to look at the log's own parts
 */
export async function extendLocks(work: Work, ofLog: boolean): Promise<Extended> {
  const { catalog, now } = work;
  const queue = locksQueue(work.config);
  const done = await extendSubjects(work, dueSubjects(work), queue);
  for (const { ended, last } of finalDates(work)) catalog.locks.settle(ended, last);
  const hasLocks = ofLog && catalog.locks.anyAfter(toSecond(now()));
  return { ...done, pieces: hasLocks ? await extendLog(work, queue) : 0 };
}

/**
 * The same for subjects with changes, but without the log's parts.
 * @param pages of subjects; the next page is requested when the previous one is done
 */
export async function extendSubjects(
  work: Work,
  pages: Iterable<readonly string[]>,
  queue: PQueue = locksQueue(work.config),
): Promise<Extended> {
  const { ledger, signal, holds } = work;
  const tally = { subjects: 0, objects: 0, failed: 0 };
  const row = new InARow();
  let looked = 0;
  for (const subjects of batches(pages)) {
    refuseInterrupted(signal);
    const batch = subjects.map((subject) => ({ subject, due: dueOf(work, subject) }));
    const locked = await Promise.all(
      batch.map(async ({ subject, due }) => ({
        subject,
        objects: await Promise.all(due.map((each) => inTurn(queue, signal, () => extendOne(work, subject, each, row)))),
      })),
    );
    holds();
    // Together, so that they share the journal's writes.
    await Promise.all(
      locked.map(async ({ subject, objects }) => {
        const done = objects.filter((each) => each !== null && each !== "gone" && each !== "later");
        tally.failed += objects.filter((each) => each === null).length;
        if (done.length === 0) return;
        tally.subjects += 1;
        tally.objects += done.length;
        await logLocks(ledger, subject, done);
      }),
    );
    await ledger.flush();
    // Everything locked so far is logged, so the run may stop here.
    refuseInterrupted(signal);
    row.check();
    looked += subjects.length;
    work.onSubject(looked);
  }
  return { ...tally, pieces: 0 };
}

function refuseInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; the next run extends the remaining locks");
}

function* batches(pages: Iterable<readonly string[]>): Generator<readonly string[], void, undefined> {
  for (const page of pages)
    for (let first = 0; first < page.length; first += BATCH) yield page.slice(first, first + BATCH);
}

/** Returns null if it failed, and "gone" if an interrupted purge has removed the object: the next purge logs that. */
async function extendOne(
  { vault, catalog, holds, onFailure }: Work,
  subject: string,
  due: Due,
  row: InARow,
): Promise<Due | null | "gone"> {
  if (row.isOver) return null;
  // Also protects `until`: with a clock that jumped ahead, the lock would be too long.
  holds();
  try {
    const mode = await setLock(vault, due.key, due.versionId, due.lock, due);
    if (due.harden && mode !== due.lock.mode) {
      throw new HoldfastError("vault-locked", `${due.key}: the store keeps the lock in ${mode} mode`, {
        hint: "Grant s3:BypassGovernanceRetention to the role that runs `retention extend`: hardening after coolingOff needs it.",
      });
    }
    row.succeeded();
    return { ...due, lock: { ...due.lock, mode } };
  } catch (error) {
    if (hasCode(error, "vault-missing") && catalog.purges.stateOf(due.key) === "begun") return "gone";
    row.failed(error);
    onFailure(subject, error);
    return null;
  }
}
