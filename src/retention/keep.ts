import type { RetentionConfig } from "../config/config.ts";

/** What starts the clocks of a copy: when the provider made this version, and when it was stored. RFC 3339 UTC. */
export interface Begun {
  readonly updated: string;
  readonly stored: string;
}

/**
 * Until when the law asks for copies of a subject, by its newest one; undefined while nobody knows: the relationship has
 * not ended, as far as Holdfast was told. Of `created` the provider's time of the version stands in for that of the
 * identity, which is earlier. Calendar units are UTC's.
 */
export function keepUntil({ keep, from }: RetentionConfig, versions: readonly Begun[]): Temporal.Instant | undefined {
  if (from === "relationship-end" || from === "account-closed") return undefined;
  const begun = versions.map(({ updated, stored }) => Temporal.Instant.from(from === "created" ? updated : stored));
  const newest = begun.sort(Temporal.Instant.compare).at(-1);
  return newest?.toZonedDateTimeISO("UTC").add(keep).toInstant();
}
