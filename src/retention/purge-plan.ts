import { createHash } from "node:crypto";
import type { Catalog } from "../catalog/catalog.ts";
import type { RetentionConfig } from "../config/config.ts";
import { maybePast } from "./past.ts";
import { dateIn } from "./period.ts";
import { firstSeenAfter } from "./relationship.ts";
import { type Term, termsOf } from "./terms.ts";

/** The objects of a subject that are past their retention date; and what prevents their deletion, if anything. */
export interface Purge {
  readonly subject: string;
  readonly terms: readonly Term[];
  /** The last day of the relationship, if it has ended. */
  readonly ended: string | undefined;
  /** The purge would leave nothing of the subject. */
  readonly whole: boolean;
  /** An earlier purge was interrupted. */
  readonly begun: boolean;
  /** A legal hold, or a lock until a date (RFC 3339 UTC): nothing is deleted. */
  readonly kept: { readonly by: "hold" } | { readonly by: "lock"; readonly until: string } | undefined;
}

/** All subjects with something past its retention date, in order; including those kept by a hold or a lock. */
export function* purges(catalog: Catalog, retention: RetentionConfig, now: Temporal.Instant): Generator<Purge> {
  for (const subject of maybePast(catalog, retention, now)) {
    const purge = purgeOf(catalog, retention, subject, now);
    if (purge) yield purge;
  }
}

export function purgeOf(
  catalog: Catalog,
  retention: RetentionConfig,
  subject: string,
  now: Temporal.Instant,
): Purge | undefined {
  return purgeAmong(termsOf(catalog, retention, subject), catalog, subject, now);
}

/** @param all what the vault holds of the subject */
export function purgeAmong(
  all: readonly Term[],
  { purges, relationships, holds }: Catalog,
  subject: string,
  now: Temporal.Instant,
): Purge | undefined {
  // A purge that began earlier is no reason by itself: the law may since require what was due then.
  const terms = all.filter(({ until }) => until !== undefined && Temporal.Instant.compare(until, now) <= 0);
  if (terms.length === 0) return undefined;
  const last = terms
    .map(({ lockedUntil }) => Temporal.Instant.from(lockedUntil))
    .sort(Temporal.Instant.compare)
    .at(-1)!;
  const locked = Temporal.Instant.compare(last, now) > 0;
  const begun = new Set(purges.unfinishedKeys(subject).map(({ key }) => key));
  return {
    subject,
    terms,
    ended: relationships.ended(subject),
    whole: terms.length === all.length,
    begun: terms.some(({ key }) => begun.has(key)),
    kept:
      holds.of(subject).length > 0
        ? { by: "hold" }
        : locked
          ? { by: "lock", until: last.toString({ smallestUnit: "second" }) }
          : undefined,
  };
}

/** An object as people agree to its destruction: the SHA-256 of its key and the version that is kept. */
export function agreedName({ key, versionId }: Pick<Term, "key" | "versionId">): string {
  return createHash("sha256").update(`${key}\n${versionId}`).digest("hex");
}

/** What a purge would destroy, in figures: what no hold and no lock keeps. */
export interface PurgeTotals {
  readonly subjects: readonly string[];
  /** The `agreedName` of each object, sorted. */
  readonly objects: readonly string[];
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  /** People whose relationship is said to have ended before they were first verified: probably a wrong day. */
  readonly verifiedLater: number;
  /** Until when the first and the last of it had to be kept, as days in the client's zone; undefined where nothing is due. */
  readonly due: { readonly first: string; readonly last: string } | undefined;
}

/** @param only where someone has chosen already: these people alone */
export function purgeTotals(
  catalog: Catalog,
  retention: RetentionConfig,
  now: Temporal.Instant,
  only?: ReadonlySet<string>,
): PurgeTotals {
  const subjects: string[] = [];
  const objects: string[] = [];
  const counts = { record: 0, file: 0, bytes: 0 };
  let verifiedLater = 0;
  let [first, last]: Temporal.Instant[] = [];
  for (const { subject, terms, ended, kept } of purges(catalog, retention, now)) {
    if (kept || only?.has(subject) === false) continue;
    subjects.push(subject);
    if (ended && firstSeenAfter(catalog, retention, { subject, ended })) verifiedLater += 1;
    for (const { kind, key, versionId, size, until } of terms) {
      objects.push(agreedName({ key, versionId }));
      counts[kind] += 1;
      counts.bytes += size;
      if (until === undefined) continue;
      if (first === undefined || Temporal.Instant.compare(until, first) < 0) first = until;
      if (last === undefined || Temporal.Instant.compare(until, last) > 0) last = until;
    }
  }
  const dayOf = (at: Temporal.Instant): string => dateIn(at, retention.timezone).toString();
  const due = first && last && { first: dayOf(first), last: dayOf(last) };
  const figures = { records: counts.record, files: counts.file, bytes: counts.bytes, verifiedLater };
  return { subjects, objects: objects.sort(), ...figures, due };
}

/** Keys of a subject that must be kept although their purge has begun, and since when. */
export function keptAfterAll(
  catalog: Catalog,
  retention: RetentionConfig,
  subject: string,
  now: Temporal.Instant,
): { key: string; since: string }[] {
  const begun = catalog.purges.unfinishedKeys(subject);
  if (begun.length === 0) return [];
  const purge = purgeOf(catalog, retention, subject, now);
  // A hold, or a lock on any of them, keeps the rest: what is gone is settled now, not when the lock ends.
  const due = new Set(purge?.kept ? [] : purge?.terms.map(({ key }) => key));
  return begun.filter(({ key }) => !due.has(key));
}
