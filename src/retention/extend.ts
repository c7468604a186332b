import PQueue from "p-queue";
import { NumberSet } from "../catalog/number-set.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import { extendLog } from "./extend-log.ts";
import { InARow } from "./in-a-row.ts";
import { relationshipEnds } from "./keep.ts";
import { cooledBefore, type DueLock, dueLock, soonOf } from "./lock-due.ts";
import { setLock } from "./set-lock.ts";
import { termsOf } from "./terms.ts";
import type { Work } from "./work.ts";

export interface Extended {
  /** Subjects and objects that have a longer or a harder lock now. */
  readonly subjects: number;
  readonly objects: number;
  /** Pieces of the log and of the vault's description, which are extended all at once. */
  readonly pieces: number;
  /** Objects whose lock is due and could not be extended. */
  readonly failed: number;
}

/** Subjects whose objects are locked before that is logged. */
const BATCH = 500;
/** Locks set in a second, at most: well below what S3 takes for one prefix, so that an export beside it is not slowed. */
const PER_SECOND = 1_000;

interface Due extends DueLock {
  readonly key: string;
  readonly versionId: string;
}

/**
 * Gives everything that must be kept, and whose lock has less than `extendWhenLessThan` left, another `initialLock` from
 * now, never beyond the date that the law sets; and locks to that very date whatever has one because a relationship has
 * ended. After a cooling-off period governance becomes compliance. The lock comes first, then the entry: the log
 * promises none that is not there. Stopped in between, the next run extends what is due still. Then the log's own
 * pieces, when they are due.
 */
export async function extendLocks(work: Work): Promise<Extended> {
  const { catalog, now } = work;
  const queue = locksQueue(work);
  const done = await extendSubjects(work, dueSubjects(work), queue);
  const held = catalog.locks.anyAfter(now().toString({ smallestUnit: "second" }));
  return { ...done, pieces: held ? await extendLog(work, queue) : 0 };
}

/**
 * The same for subjects of whom something has changed, and without the log's pieces.
 * @param pages of subjects; the next one is asked for when what came before is done
 */
export async function extendSubjects(
  work: Work,
  pages: Iterable<readonly string[]>,
  queue: PQueue = locksQueue(work),
): Promise<Extended> {
  const { ledger, signal, holds } = work;
  const tally = { subjects: 0, objects: 0, failed: 0 };
  const row = new InARow();
  let looked = 0;
  for (const subjects of batches(pages)) {
    if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; the next run extends the other locks");
    const batch = subjects.map((subject) => ({ subject, due: dueOf(work, subject) }));
    const locked = await Promise.all(
      batch.map(async ({ subject, due }) => ({
        subject,
        objects: await Promise.all(due.map((each) => queue.add(() => extendOne(work, subject, each, row)))),
      })),
    );
    for (const { subject, objects } of locked) {
      const done = objects.filter((each) => each !== null && each !== "gone");
      tally.failed += objects.filter((each) => each === null).length;
      if (done.length === 0) continue;
      tally.subjects += 1;
      tally.objects += done.length;
      holds();
      await log(work, subject, done);
    }
    await ledger.flush();
    // What was locked is logged; of the others nothing more is asked.
    row.check();
    looked += subjects.length;
    work.onSubject(looked);
  }
  return { ...tally, pieces: 0 };
}

function locksQueue({ config }: Work): PQueue {
  return new PQueue({ concurrency: config.vault.concurrency, interval: 1_000, intervalCap: PER_SECOND });
}

function* batches(pages: Iterable<readonly string[]>): Generator<readonly string[], void, undefined> {
  for (const page of pages)
    for (let first = 0; first < page.length; first += BATCH) yield page.slice(first, first + BATCH);
}

/** Whoever may have an object whose lock is due, once each: they are looked at closely after. */
function* dueSubjects({ config, catalog, now }: Work): Generator<string[], void, undefined> {
  const { retention } = config;
  const { relationships, locks } = catalog;
  const second = (instant: Temporal.Instant): string => instant.toString({ smallestUnit: "second" });
  const met = new NumberSet();
  yield* locks.before(second(soonOf(retention, now())), met);
  for (const ended of relationships.endings()) {
    const last = relationshipEnds(retention, ended);
    if (last === undefined || Temporal.Instant.compare(last, now()) <= 0) continue;
    yield* locks.endedShort(ended, second(last), met);
  }
  if (config.vault.lock === "compliance" && retention.coolingOff)
    yield* locks.softBefore(second(cooledBefore(retention.coolingOff, now())), met);
}

/** The objects of a subject whose lock is to be another. */
function dueOf(work: Work, subject: string): Due[] {
  const { catalog, now } = work;
  const { retention, vault } = work.config;
  const hasEnded = catalog.relationships.ended(subject) !== undefined;
  return termsOf(catalog, retention, subject).flatMap((term) => {
    const due = dueLock({ retention, mode: vault.lock }, term, hasEnded, now());
    return due ? { key: term.key, versionId: term.versionId, ...due } : [];
  });
}

/** Gives null where it failed, and "gone" where a purge that was stopped has taken the object: the next one says so. */
async function extendOne(
  { vault, catalog, holds, onFailure }: Work,
  subject: string,
  due: Due,
  row: InARow,
): Promise<Due | null | "gone"> {
  if (row.isOver) return null;
  // Also for what `until` was computed from: a clock that jumped ahead would lock for as much too long.
  holds();
  try {
    const mode = await setLock(vault, due.key, due.versionId, due.lock, due);
    if (due.harden && mode !== due.lock.mode) {
      throw new HoldfastError("vault-locked", `${due.key}: the store keeps the lock in ${mode} mode`, {
        hint: "Grant s3:BypassGovernanceRetention to whoever runs `retention extend`: compliance after coolingOff needs it.",
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

async function log(work: Work, subject: string, done: readonly Due[]): Promise<void> {
  const alike = Map.groupBy(done, ({ lock }) => `${lock.mode} ${lock.until}`);
  for (const group of alike.values()) {
    const { lock } = group[0]!;
    const objects = group.map(({ key, versionId }) => ({ key, versionId }));
    const locked = { lockedUntil: lock.until.toString(), lockMode: lock.mode };
    await work.ledger.log({ type: "lock.extended", subject, ...locked, objects });
  }
}
