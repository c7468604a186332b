import PQueue from "p-queue";
import { HoldfastError } from "../core/error.ts";
import { noteFolder, versionsOf } from "../vault/layout.ts";
import { InARow } from "./in-a-row.ts";
import { leftBehind } from "./left-behind.ts";
import { removeFreeNotes } from "./notes.ts";
import { agreedName, type Purge, purgeOf, purges } from "./purge-plan.ts";
import { removeAll } from "./remove.ts";
import type { Term } from "./terms.ts";
import { settleBegun } from "./withdraw.ts";
import type { Work } from "./work.ts";

export interface Purged {
  readonly subjects: number;
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  /** Versions and delete markers that were removed from the store. */
  readonly versions: number;
  /** Sealed notes about people of whom nothing else is left. */
  readonly notes: number;
  /** Subjects past their date that a hold or a lock keeps. */
  readonly kept: number;
  /** Objects that are kept although their purge had begun. */
  readonly withdrawn: number;
  /** Objects of earlier purges whose bytes were still there and are deleted now. */
  readonly cleared: number;
  /** Subjects that could not be purged, or only in part; the next purge continues with them. */
  readonly failed: number;
}

/** What people agreed to destroy: what was due of these people at a time, and no other object. */
export interface Chosen {
  readonly subjects: ReadonlySet<string>;
  /** The `agreedName` of each object. */
  readonly objects: ReadonlySet<string>;
  readonly dueBy: Temporal.Instant;
  /** That a second person approved it: the SHA-256 of what they signed, and their public key. */
  readonly approved?: { readonly request: string; readonly approvedBy: string };
}

/** People whose purge is logged as begun together: one checkpoint each would take most of the time. */
const BATCH = 100;

interface Begun {
  readonly purge: Purge;
  /** Objects that an earlier purge deleted. */
  readonly gone: readonly Term[];
}

/**
 * Deletes everything that is past its retention date and not held: all versions and delete markers. First the log says
 * that the purge begins, in the vault and under its checkpoint; then the objects are deleted; then the log says that
 * they are gone. Notes about people of whom nothing is left go last. If it is interrupted at any point, the next purge continues with what is due then, and verify knows
 * why something is missing. If one subject fails, the others continue.
 * @param ready called before anything is deleted; if it throws, the purge ends
 * @param chosen what people agreed to, if they did: no more than that is deleted
 */
export async function purgeAll(
  work: Work,
  ready: (subjects: number) => Promise<void> = async () => {},
  chosen?: Chosen,
): Promise<Purged> {
  const { config, catalog, now } = work;
  const { retention } = config;
  const tally = { subjects: 0, records: 0, files: 0, bytes: 0, versions: 0, kept: 0, failed: 0 };
  const more = { withdrawn: 0, cleared: 0, notes: 0 };
  const row = new InARow();
  const failed = (subject: string, error: unknown): void => {
    tally.failed += 1;
    work.onFailure(subject, error);
    row.failed(error);
  };
  const count = (terms: readonly Term[]): void => {
    if (terms.length > 0) tally.subjects += 1;
    for (const { kind, size } of terms) {
      tally[kind === "record" ? "records" : "files"] += 1;
      tally.bytes += size;
    }
  };
  const isChosen = (subject: string): boolean => chosen === undefined || chosen.subjects.has(subject);
  const planned = new Set(catalog.purges.unfinished());
  for (const { subject, kept } of purges(catalog, retention, now())) {
    if (kept) tally.kept += 1;
    else if (isChosen(subject)) planned.add(subject);
  }
  await ready(planned.size);
  more.cleared = await clearLeft(work, failed);
  const queue = new PQueue({ concurrency: config.vault.concurrency });
  const all = [...planned];
  for (let first = 0; first < all.length && !row.isOver && !work.signal.aborted; first += BATCH) {
    const batch: Begun[] = [];
    for (const subject of all.slice(first, first + BATCH)) {
      try {
        // Check policy, holds and relationship here, right before deletion, not when the list was made.
        const { withdrawn, gone } = await settleBegun(work, subject);
        more.withdrawn += withdrawn;
        const purge = isChosen(subject) ? purgeOf(catalog, retention, subject, chosen?.dueBy ?? now()) : undefined;
        // If a record that must be kept is gone, its files stay: the next export fetches the record again.
        const isWaiting = gone.some(({ kind }) => kind === "record");
        if (purge === undefined || purge.kept || isWaiting) count(gone);
        else {
          refuseMore(purge, chosen);
          await begin(work, purge, chosen?.approved);
          batch.push({ purge, gone });
        }
      } catch (error) {
        failed(subject, error);
      }
    }
    try {
      // The vault must hold the intent before anything is deleted: this machine may crash in between.
      await work.ledger.flush();
    } catch (error) {
      for (const { purge } of batch) failed(purge.subject, error);
      continue;
    }
    for (const { purge, gone } of batch) {
      if (row.isOver || work.signal.aborted) break;
      try {
        tally.versions += await purgeOne(work, queue, purge);
        count([...gone, ...purge.terms]);
        row.succeeded();
      } catch (error) {
        failed(purge.subject, error);
      }
    }
    work.onSubject(Math.min(first + BATCH, all.length), all.length);
  }
  // Also after an interruption: what is gone is then in the log and can be certified.
  await work.ledger.flush();
  refuseAborted(work);
  row.check();
  more.notes = await removeFreeNotes(work, failed);
  return { ...tally, ...more };
}

/**
 * Deletes what earlier purges left. The log already says that it is gone, so nothing is logged. Skips held subjects.
 */
async function clearLeft(work: Work, failed: (subject: string, error: unknown) => void): Promise<number> {
  const { vault, catalog, holds } = work;
  let cleared = 0;
  for await (const { subject, key } of leftBehind(vault, catalog)) {
    refuseAborted(work);
    if (catalog.holds.of(subject).length > 0) continue;
    holds();
    try {
      if (((await vault.clear?.(key)) ?? 0) > 0) cleared += 1;
    } catch (error) {
      failed(subject, error);
    }
  }
  return cleared;
}

function refuseAborted({ signal }: Work): void {
  if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; the next purge continues here");
}

/**
 * For a subject of whom nothing may be left: deletes objects that killed runs stored and no entry mentions. They are
 * about that person, too. They are not logged as purged, since no one can tell what they were.
 */
async function removeUnnamed(work: Work, subject: string, named: ReadonlySet<string>): Promise<void> {
  const keys = new Set<string>();
  for await (const { key } of versionsOf(work.vault, subject)) if (!named.has(key)) keys.add(key);
  // Notes that the log names go once nothing else is left.
  for await (const { key } of work.vault.versions(noteFolder(subject)))
    if (work.catalog.notes.get(key) === undefined) keys.add(key);
  for (const key of keys) await removeAll(work, key);
}

/** Throws `unapproved` where more is due of a person than people agreed to: nothing of that person is destroyed. */
function refuseMore({ terms }: Purge, chosen: Chosen | undefined): void {
  if (!chosen || terms.every((term) => chosen.objects.has(agreedName(term)))) return;
  throw new HoldfastError("unapproved", "more is due now of this person than was agreed to");
}

async function begin(work: Work, { subject, terms }: Purge, approved: Chosen["approved"]): Promise<void> {
  const begun = new Set(work.catalog.purges.unfinishedKeys(subject).map(({ key }) => key));
  // Where people approved it, this run says so too of what an earlier run began.
  const keys = terms.map(({ key }) => key).filter((key) => approved !== undefined || !begun.has(key));
  if (keys.length > 0) await work.ledger.log({ type: "purge.begun", subject, keys, ...approved });
}

async function purgeOne(work: Work, queue: PQueue, purge: Purge): Promise<number> {
  const { holds } = work;
  const { subject, terms, ended, whole } = purge;
  const removed = new Map<string, number>();
  // First, because a store may refuse it: then everything logged is still there, and the next purge tries again.
  if (whole) await removeUnnamed(work, subject, new Set(terms.map(({ key }) => key)));
  // Records go last, so that an interruption never leaves a file that no record mentions.
  for (const kind of ["file", "record"] as const) {
    const ends = await Promise.allSettled(
      terms
        .filter((term) => term.kind === kind)
        .map(({ key }) => queue.add(async () => void removed.set(key, await removeAll(work, key)))),
    );
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
  const objects = terms.map(({ key, versionId, size, sha256, until }) => ({
    key,
    versionId,
    size,
    sha256,
    versions: removed.get(key) ?? 0,
    due: (until ?? work.now()).toString({ smallestUnit: "second" }),
  }));
  holds();
  await work.ledger.log({ type: "record.purged", subject, objects, whole, ...(ended === undefined ? {} : { ended }) });
  return [...removed.values()].reduce((sum, count) => sum + count, 0);
}
