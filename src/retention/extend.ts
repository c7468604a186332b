import PQueue from "p-queue";
import { NumberSet } from "../catalog/number-set.ts";
import { HoldfastError, hasCode } from "../core/error.ts";
import { extendLog } from "./extend-log.ts";
import { InARow } from "./in-a-row.ts";
import { relationshipEnds } from "./keep.ts";
import { cooledBefore, type DueLock, dueLock, soonOf } from "./lock-due.ts";
import { noteTermsOf } from "./notes.ts";
import { setLock } from "./set-lock.ts";
import { termsOf } from "./terms.ts";
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
/** Maximum locks per second: well below S3's limit for one prefix, so that a parallel export is not slowed. */
const PER_SECOND = 1_000;

interface Due extends DueLock {
  readonly kind: "record" | "file" | "note";
  readonly key: string;
  readonly versionId: string;
}

/**
 * Extends every lock that has less than `extendWhenLessThan` left on an object that must be kept: to `initialLock` from
 * now, but never beyond the date the law sets. If a relationship has ended, locks its objects to exactly that date.
 * After a cooling-off period, governance becomes compliance. The lock comes first, then the entry: the log must not
 * promise a lock that does not exist. If this is interrupted, the next run extends what is still due. Then extends the
 * log's own parts, if they are due.
 */
export async function extendLocks(work: Work): Promise<Extended> {
  const { catalog, now } = work;
  const queue = locksQueue(work);
  const done = await extendSubjects(work, dueSubjects(work), queue);
  const held = catalog.locks.anyAfter(now().toString({ smallestUnit: "second" }));
  return { ...done, pieces: held ? await extendLog(work, queue) : 0 };
}

/**
 * The same for subjects with changes, but without the log's parts.
 * @param pages of subjects; the next page is requested when the previous one is done
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
    if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; the next run extends the remaining locks");
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
    // Everything locked so far is logged, so the run may stop here.
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

/** Every subject that may have an object with a due lock, once each; `dueOf` then checks exactly. */
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
  // Mostly extended with the records, above.
  yield catalog.notes.lockedShort(second(soonOf(retention, now())));
}

/** The objects of a subject whose lock must change. */
function dueOf(work: Work, subject: string): Due[] {
  const { catalog, now } = work;
  const { retention, vault } = work.config;
  const hasEnded = catalog.relationships.ended(subject) !== undefined;
  const terms = termsOf(catalog, retention, subject);
  return [...terms, ...noteTermsOf(catalog, subject, terms)].flatMap((term) => {
    const due = dueLock({ retention, mode: vault.lock }, term, hasEnded, now());
    return due ? { kind: term.kind, key: term.key, versionId: term.versionId, ...due } : [];
  });
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

async function log(work: Work, subject: string, done: readonly Due[]): Promise<void> {
  const alike = Map.groupBy(done, ({ kind, lock }) => `${kind === "note"} ${lock.mode} ${lock.until}`);
  for (const group of alike.values()) {
    const { kind, lock } = group[0]!;
    const objects = group.map(({ key, versionId }) => ({ key, versionId }));
    const locked = { lockedUntil: lock.until.toString(), lockMode: lock.mode };
    await work.ledger.log(
      kind === "note"
        ? { type: "note.extended", subject, ...locked, notes: objects }
        : { type: "lock.extended", subject, ...locked, objects },
    );
  }
}
