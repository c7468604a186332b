import PQueue from "p-queue";
import type { AuditWriter } from "../audit/writer.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { HoldfastError } from "../error.ts";
import { recordKey } from "../vault/layout.ts";
import { lockFor, wholeSecond } from "../vault/lock.ts";
import type { Lock } from "../vault/vault.ts";
import { keepUntil } from "./keep.ts";
import { lengthen } from "./lengthen.ts";
import { extendLog, type LogExtension } from "./log-locks.ts";

export interface Extension extends LogExtension {
  readonly writer: AuditWriter;
  readonly catalog: Catalog;
  /** Requests in flight at the vault. */
  readonly concurrency: number;
  /** The run's name in the log. */
  readonly run: string;
  readonly onSubject: (done: number, total: number) => void;
  /** An object's lock could not be extended; it is tried again by the next run. */
  readonly onFailure: (subject: string, error: unknown) => void;
}

export interface Extended {
  /** Subjects and objects that have a longer lock now. */
  readonly subjects: number;
  readonly objects: number;
  /** Pieces of the log and of the vault's description, which are extended all at once. */
  readonly pieces: number;
  /** Objects whose lock is due and could not be extended. */
  readonly failed: number;
}

/** Subjects whose objects are locked before that is logged. */
const BATCH = 500;
/** Objects that one entry of the log names: it holds 65,535 bytes. */
const PER_ENTRY = 250;

interface Due {
  readonly key: string;
  readonly versionId: string;
  readonly until: Temporal.Instant;
}

/**
 * Gives everything that must be kept, and whose lock has less than `extendWhenLessThan` left, another `initialLock` from
 * now, never beyond the date that the law sets. The lock comes first, then the entry: the log promises none that is not
 * there. Stopped in between, the next run extends what is due still. Then the log's own pieces, when they are due.
 */
export async function extendLocks(extension: Extension): Promise<Extended> {
  const { catalog, writer, now, retention, signal, holds } = extension;
  const soon = now().toZonedDateTimeISO("UTC").add(retention.extendWhenLessThan).toInstant();
  const subjects = catalog.lockedBefore(soon.toString({ smallestUnit: "second" }));
  const queue = new PQueue({ concurrency: extension.concurrency });
  const tally = { subjects: 0, objects: 0, failed: 0 };
  for (let first = 0; first < subjects.length; first += BATCH) {
    if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; the next run extends the other locks");
    const batch = subjects
      .slice(first, first + BATCH)
      .map((subject) => ({ subject, due: dueOf(extension, subject, soon) }));
    const locked = await Promise.all(
      batch.map(async ({ subject, due }) => ({
        subject,
        objects: await Promise.all(due.map((each) => queue.add(() => extendOne(extension, subject, each)))),
      })),
    );
    for (const { subject, objects } of locked) {
      const done = objects.filter((each) => each !== null);
      tally.failed += objects.length - done.length;
      if (done.length === 0) continue;
      tally.subjects += 1;
      tally.objects += done.length;
      holds();
      await log(extension, subject, done);
    }
    await writer.flush();
    extension.onSubject(Math.min(first + BATCH, subjects.length), subjects.length);
  }
  const held = catalog.lockedAfter(now().toString({ smallestUnit: "second" }));
  return { ...tally, pieces: held ? await extendLog(extension, queue) : 0 };
}

/** The objects of a subject whose lock ends soon, and would end later. */
function dueOf({ catalog, retention, mode, now }: Extension, subject: string, soon: Temporal.Instant): Due[] {
  const records = catalog.records(subject);
  const end = keepUntil(retention, records);
  const { until: longest } = lockFor(mode, retention.initialLock, now());
  // What need not be kept any more is left to unlock.
  if (end !== undefined && Temporal.Instant.compare(end, now()) <= 0) return [];
  const until = end !== undefined && Temporal.Instant.compare(end, longest) < 0 ? wholeSecond(end) : longest;
  return [
    ...records.map(({ version, versionId, lockedUntil }) => ({
      key: recordKey(subject, version),
      versionId,
      lockedUntil,
    })),
    ...catalog.files(subject),
  ]
    .filter(({ lockedUntil }) => {
      const is = Temporal.Instant.from(lockedUntil);
      return Temporal.Instant.compare(is, soon) < 0 && Temporal.Instant.compare(is, until) < 0;
    })
    .map(({ key, versionId }) => ({ key, versionId, until }));
}

async function extendOne(
  { vault, mode, holds, onFailure }: Extension,
  subject: string,
  due: Due,
): Promise<(Due & { mode: Lock["mode"] }) | null> {
  // Also for what `until` was computed from: a clock that jumped ahead would lock for as much too long.
  holds();
  try {
    return { ...due, mode: await lengthen(vault, due.key, due.versionId, { mode, until: due.until }) };
  } catch (error) {
    onFailure(subject, error);
    return null;
  }
}

async function log(
  { writer, catalog, run, now }: Extension,
  subject: string,
  done: readonly (Due & { mode: Lock["mode"] })[],
): Promise<void> {
  for (let first = 0; first < done.length; first += PER_ENTRY) {
    const part = done.slice(first, first + PER_ENTRY);
    const journaled = await writer.append({
      ...{ type: "lock.extended", time: now().toString({ smallestUnit: "millisecond" }), run, subject },
      lockedUntil: part[0]!.until.toString(),
      lockMode: part.every(({ mode }) => mode === "compliance") ? "compliance" : "governance",
      objects: part.map(({ key, versionId }) => ({ key, versionId })),
    });
    catalog.apply([journaled]);
  }
}
