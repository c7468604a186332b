import type { Catalog } from "../catalog/catalog.ts";
import { NumberSet } from "../catalog/number-set.ts";
import type { ClientConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { relationshipEnds } from "./keep.ts";
import { cooledBefore, type DueLock, dueLock, soonOf } from "./lock-due.ts";
import { noteTermsOf } from "./notes.ts";
import { termsOf } from "./terms.ts";

/** An object whose lock must change now. */
export interface Due extends DueLock {
  readonly kind: "record" | "file" | "note";
  readonly key: string;
  readonly versionId: string;
  /** The mode of the lock that it has. */
  readonly mode: "governance" | "compliance";
}

/** Where locks that are due are looked for. */
export interface DueIn {
  readonly config: Pick<ClientConfig, "retention" | "vault">;
  readonly catalog: Catalog;
  readonly now: Clock;
}

/** Every subject that may have an object with a due lock, once each; `dueOf` then checks exactly. */
export function* dueSubjects({ config, catalog, now }: DueIn): Generator<string[], void, undefined> {
  const { retention } = config;
  const { locks } = catalog;
  const met = new NumberSet();
  yield* locks.before(toSecond(soonOf(retention, now())), met);
  for (const { ended, last } of finalDates({ config, catalog, now })) yield* locks.endedShort(ended, last, met);
  if (config.vault.lock === "compliance" && retention.coolingOff)
    yield* locks.softBefore(toSecond(cooledBefore(retention.coolingOff, now())), met);
  // Mostly extended with the records, above.
  yield catalog.notes.lockedShort(toSecond(soonOf(retention, now())));
}

/** The objects of a subject whose lock must change. */
export function dueOf({ config, catalog, now }: DueIn, subject: string): Due[] {
  const { retention, vault } = config;
  const hasEnded = catalog.relationships.ended(subject) !== undefined;
  const terms = termsOf(catalog, retention, subject);
  return [...terms, ...noteTermsOf(catalog, subject, terms)].flatMap((term) => {
    const due = dueLock({ retention, mode: vault.lock }, term, hasEnded, now());
    if (due === undefined) return [];
    return { kind: term.kind, key: term.key, versionId: term.versionId, mode: term.lockMode, ...due };
  });
}

/** The last days of relationships that ended, each with the date up to which what began with it is locked, if that is ahead. */
export function* finalDates({ config, catalog, now }: DueIn): Generator<{ ended: string; last: string }> {
  for (const ended of catalog.relationships.endings()) {
    const last = relationshipEnds(config.retention, ended);
    if (last !== undefined && Temporal.Instant.compare(last, now()) > 0) yield { ended, last: toSecond(last) };
  }
}

export function toSecond(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: "second" });
}
