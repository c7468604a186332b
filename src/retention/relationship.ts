import type { Catalog } from "../catalog/catalog.ts";
import type { RetentionConfig } from "../config/config.ts";
import { HoldfastError } from "../core/error.ts";
import { type Extended, extendSubjects } from "./extend.ts";
import { relationshipEnds } from "./keep.ts";
import { dateIn, earliestDate } from "./period.ts";
import type { Work } from "./work.ts";

/** Someone whose relationship has ended, and on which day: `2026-11-24`. */
export interface Ending {
  readonly subject: string;
  readonly ended: string;
}

export interface RelationshipsEnded {
  readonly subjects: number;
  /** Told before, of the same day. */
  readonly unchanged: number;
  /** Of them all, those whose copies no one must keep any more: a purge may take them. */
  readonly past: number;
  readonly locks: Extended;
}

/** Endings that are logged and flushed before their objects are locked. */
const BATCH = 500;
/** A relationship may be told to end, and not for long. */
const AHEAD = { years: 1 };

/**
 * Sets the final date and locks to it. The entry comes first: stopped in between, the nightly run locks what is not yet
 * locked to the date. A lock that lasts longer already stays.
 */
export async function endRelationships(
  work: Work,
  endings: readonly Ending[],
  { beforeVerification = false }: { readonly beforeVerification?: boolean | undefined } = {},
): Promise<RelationshipsEnded> {
  for (const ending of endings) {
    refuseUnfit(work, ending);
    if (!beforeVerification) refuseEarly(work, ending);
  }
  const told = { subjects: 0, unchanged: 0, past: 0 };
  const locks = { subjects: 0, objects: 0, pieces: 0, failed: 0 };
  for (let first = 0; first < endings.length; first += BATCH) {
    const batch = endings.slice(first, first + BATCH);
    for (const { subject, ended } of batch) {
      work.holds();
      if (work.catalog.relationships.ended(subject) === ended) told.unchanged += 1;
      else {
        await work.ledger.log({ type: "relationship.ended", subject, ended });
        told.subjects += 1;
      }
      const end = relationshipEnds(work.config.retention, ended);
      if (end && Temporal.Instant.compare(end, work.now()) <= 0) told.past += 1;
    }
    await work.ledger.flush();
    const done = await extendSubjects({ ...work, onSubject: (at) => work.onSubject(first + at, endings.length) }, [
      batch.map(({ subject }) => subject),
    ]);
    locks.subjects += done.subjects;
    locks.objects += done.objects;
    locks.failed += done.failed;
  }
  return { ...told, locks };
}

/** It did not end, or began again. Gives whom that was news of. */
export async function reopenRelationships(work: Work, subjects: readonly string[]): Promise<string[]> {
  const { relationships } = work.catalog;
  const ended = subjects.filter(
    (subject) => relationships.ended(subject) !== undefined || relationships.hasDeparted(subject),
  );
  for (const subject of ended) {
    work.holds();
    await work.ledger.log({ type: "relationship.reopened", subject });
  }
  await work.ledger.flush();
  return ended;
}

/**
 * The day on which someone was verified first, where a relationship ended before it: then the day is hardly meant, and
 * would start the clock too early. What is known are the provider's times of the versions kept. Undefined where the day
 * fits, and where it was told before.
 */
export function verifiedAfter(catalog: Catalog, retention: RetentionConfig, ending: Ending): string | undefined {
  if (catalog.relationships.ended(ending.subject) === ending.ended) return undefined;
  return firstSeenAfter(catalog, retention, ending);
}

/** The same, whether or not it was told before. */
export function firstSeenAfter(
  catalog: Catalog,
  retention: RetentionConfig,
  { subject, ended }: Ending,
): string | undefined {
  const times = catalog.kept.stored(subject).map(({ updated }) => Temporal.Instant.from(updated));
  const first = times.sort(Temporal.Instant.compare)[0];
  // Without a zone of the client's, the earliest date that it was anywhere.
  const day = first && earliestDate(first, retention.timezone);
  return day && Temporal.PlainDate.compare(ended, day) < 0 ? day.toString() : undefined;
}

/** Throws `usage` for a day before the verification: whoever means it says so. */
function refuseEarly(work: Work, ending: Ending): void {
  const day = verifiedAfter(work.catalog, work.config.retention, ending);
  if (day === undefined) return;
  throw new HoldfastError(
    "usage",
    `subject ${ending.subject}: ${ending.ended} is before that person was first verified (${day})`,
    { hint: "Check the date: copies would be destroyed too early. If it is right, add --before-verification." },
  );
}

/** Throws `usage` for a day that cannot be meant: a compliance lock to it could be taken back by no one. */
function refuseUnfit({ config: { retention }, now }: Work, { subject, ended }: Ending): void {
  const today = dateIn(now(), retention.timezone);
  if (Temporal.PlainDate.compare(ended, today.add(AHEAD)) > 0) {
    throw new HoldfastError("usage", `subject ${subject}: ${ended} is more than a year ahead`, {
      hint: "Check the date: a lock that is set to it cannot be shortened. Tell it when it has come nearer.",
    });
  }
  const end = relationshipEnds(retention, ended);
  const most = retention.maximum && now().toZonedDateTimeISO("UTC").add(retention.maximum).toInstant();
  if (end && most && Temporal.Instant.compare(end, most) > 0) {
    throw new HoldfastError(
      "usage",
      `subject ${subject}: copies would be kept until ${end}, beyond retention.maximum`,
      {
        hint: `Check the date, or retention.maximum (${retention.maximum}).`,
      },
    );
  }
}
