import type { Catalog } from "../catalog/catalog.ts";
import type { RetentionConfig } from "../config/config.ts";
import { HoldfastError } from "../core/error.ts";
import { type Extended, extendSubjects } from "./extend.ts";
import { relationshipEnds } from "./keep.ts";
import { dateIn, earliestDate } from "./period.ts";
import type { Work } from "./work.ts";

/** A person whose relationship has ended, and its last day: `2026-11-24`. */
export interface Ending {
  readonly subject: string;
  readonly ended: string;
}

export interface RelationshipsEnded {
  readonly subjects: number;
  /** Already recorded with the same day. */
  readonly unchanged: number;
  /** Days that were recorded before, and are replaced. */
  readonly replaced: readonly Replaced[];
  /** Of all these, the people whose copies no longer have to be kept: a purge may delete them. */
  readonly past: number;
  /** Those of them that end on a future day; null if no one does. */
  readonly ahead: Ahead | null;
  readonly locks: Extended;
}

export interface Replaced extends Ending {
  /** The day that was recorded before. */
  readonly before: string;
}

export interface Ahead {
  readonly people: number;
  /** The last of these days, and the day to which copies are kept for it: null where no class begins with it. */
  readonly day: string;
  readonly until: string | null;
}

/** Endings that are logged and flushed before their objects are locked. */
const BATCH = 500;
/** How far ahead a relationship's end may be recorded. */
const AHEAD = { years: 1 };

/**
 * Sets the final date and locks objects until then. The entry comes first: after an interruption, the nightly run sets
 * the remaining locks. A lock that lasts longer already is left as it is.
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
  const replaced: Replaced[] = [];
  const told = { subjects: 0, unchanged: 0, past: 0 };
  const locks = { subjects: 0, objects: 0, pieces: 0, failed: 0 };
  for (let first = 0; first < endings.length; first += BATCH) {
    const batch = endings.slice(first, first + BATCH);
    for (const { subject, ended } of batch) {
      work.holds();
      const before = work.catalog.relationships.ended(subject);
      if (before === ended) told.unchanged += 1;
      else {
        await work.ledger.log({ type: "relationship.ended", subject, ended });
        told.subjects += 1;
        if (before !== undefined) replaced.push({ subject, ended, before });
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
  return { ...told, replaced, ahead: aheadOf(work, endings), locks };
}

function aheadOf({ config: { retention }, now }: Work, endings: readonly Ending[]): Ahead | null {
  const today = dateIn(now(), retention.timezone);
  const days = endings.map(({ ended }) => ended).filter((day) => Temporal.PlainDate.compare(day, today) > 0);
  const day = days.sort().at(-1);
  if (day === undefined) return null;
  const until = relationshipEnds(retention, day);
  return { people: days.length, day, until: until ? dateIn(until, retention.timezone).toString() : null };
}

/** The relationship did not end, or began again. Returns the subjects for which that is a change. */
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
 * The day a person was first verified, if the relationship ended before it: that day is probably wrong and would start
 * the clock too early. Uses the provider's times of the versions kept. Undefined if the day is plausible, or was
 * already recorded.
 */
export function verifiedAfter(catalog: Catalog, retention: RetentionConfig, ending: Ending): string | undefined {
  if (catalog.relationships.ended(ending.subject) === ending.ended) return undefined;
  return firstSeenAfter(catalog, retention, ending);
}

/** The same, whether or not it was already recorded. */
export function firstSeenAfter(
  catalog: Catalog,
  retention: RetentionConfig,
  { subject, ended }: Ending,
): string | undefined {
  const times = catalog.kept.stored(subject).map(({ updated }) => Temporal.Instant.from(updated));
  const first = times.sort(Temporal.Instant.compare)[0];
  // Without the client's zone, the earliest date anywhere.
  const day = first && earliestDate(first, retention.timezone);
  return day && Temporal.PlainDate.compare(ended, day) < 0 ? day.toString() : undefined;
}

/** Throws `usage` for a day before the verification; an option allows it. */
function refuseEarly(work: Work, ending: Ending): void {
  const day = verifiedAfter(work.catalog, work.config.retention, ending);
  if (day === undefined) return;
  throw new HoldfastError(
    "usage",
    `subject ${ending.subject}: ${ending.ended} is before that person was first verified (${day})`,
    {
      hint: "Check the date: with a wrong one, copies are destroyed too early. If it is right, add --before-verification.",
    },
  );
}

/** Throws `usage` for an implausible day: no one could shorten a compliance lock to that day. */
function refuseUnfit({ config: { retention }, now }: Work, { subject, ended }: Ending): void {
  const today = dateIn(now(), retention.timezone);
  if (Temporal.PlainDate.compare(ended, today.add(AHEAD)) > 0) {
    throw new HoldfastError("usage", `subject ${subject}: ${ended} is more than a year ahead`, {
      hint: "Check the date: a lock that is set to it cannot be shortened. Record it when it is less than a year ahead.",
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
