import type { Catalog } from "../catalog/catalog.ts";
import type { RetentionConfig } from "../config/config.ts";
import { type Term, termsOf } from "./terms.ts";

/** What of a subject is past its date, and why; or what keeps it all the same. */
export interface Purge {
  readonly subject: string;
  readonly terms: readonly Term[];
  /** The last day of the relationship, if that started the clock. */
  readonly ended: string | undefined;
  /** Nothing of the subject would be left. */
  readonly whole: boolean;
  /** An earlier purge was stopped in the middle of it. */
  readonly begun: boolean;
  /** A legal hold stands, or a lock lasts until then (RFC 3339 UTC): nothing is taken. */
  readonly kept: { readonly by: "hold" } | { readonly by: "lock"; readonly until: string } | undefined;
}

/** Everybody of whom something is past its date, in their order; who is kept by a hold or a lock too. */
export function* purges(catalog: Catalog, retention: RetentionConfig, now: Temporal.Instant): Generator<Purge> {
  for (const subject of catalog.subjects()) {
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
  const { life } = catalog;
  const all = termsOf(catalog, retention, subject);
  const begun = new Set(life.unfinishedKeys(subject));
  const isPast = ({ key, until }: Term): boolean =>
    begun.has(key) || (until !== undefined && Temporal.Instant.compare(until, now) <= 0);
  const terms = all.filter(isPast);
  if (terms.length === 0) return undefined;
  const last = terms
    .map(({ lockedUntil }) => Temporal.Instant.from(lockedUntil))
    .sort(Temporal.Instant.compare)
    .at(-1)!;
  const locked = Temporal.Instant.compare(last, now) > 0;
  return {
    ...{ subject, terms, ended: life.ended(subject), whole: terms.length === all.length, begun: begun.size > 0 },
    kept:
      life.holds(subject).length > 0
        ? { by: "hold" }
        : locked
          ? { by: "lock", until: last.toString({ smallestUnit: "second" }) }
          : undefined,
  };
}
