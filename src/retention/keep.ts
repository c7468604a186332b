import type { Keep, RetentionConfig } from "../config/config.ts";
import { afterDay, afterInstant } from "./period.ts";

/** The possible start of a version's clocks: when the provider made it, and when it was stored. RFC 3339 UTC. */
export interface Begun {
  readonly updated: string;
  readonly stored: string;
}

/** The last day of the relationship, `2026-11-24`; undefined while it lasts, as far as Holdfast knows. */
export type LastDay = string | undefined;

/**
 * Until when the law requires the sealed record of a version; undefined if not known yet. A record holds identity data
 * and verification results, and is kept for the longer of the two periods.
 */
export function recordUntil(retention: RetentionConfig, begun: Begun, ended: LastDay): Temporal.Instant | undefined {
  const { identifying, verification } = retention.classes;
  return laterOf(keepUntil(retention, identifying, begun, ended), keepUntil(retention, verification, begun, ended));
}

/** The same for a file and one of the versions that list it: a file is kept for the last of them. */
export function fileUntil(retention: RetentionConfig, begun: Begun, ended: LastDay): Temporal.Instant | undefined {
  return keepUntil(retention, retention.classes.files, begun, ended);
}

/**
 * The last end of all classes whose clock starts when a relationship ends, for that day; undefined if there is no such
 * class.
 */
export function relationshipEnds(retention: RetentionConfig, ended: string): Temporal.Instant | undefined {
  const ends = Object.values(retention.classes)
    .filter(({ from }) => from === "relationship-end" || from === "account-closed")
    .map(({ keep }) => afterDay(Temporal.PlainDate.from(ended), keep, retention.timezone));
  return ends.sort(Temporal.Instant.compare).at(-1);
}

/** The later of two ends; undefined means not known yet. */
export function laterOf(
  one: Temporal.Instant | undefined,
  other: Temporal.Instant | undefined,
): Temporal.Instant | undefined {
  if (one === undefined || other === undefined) return undefined;
  return Temporal.Instant.compare(one, other) >= 0 ? one : other;
}

/**
 * For `created`, the provider's time of the version replaces that of the identity, which is earlier. A relationship
 * lasts to the end of its last day.
 */
function keepUntil(
  { minimum, timezone }: RetentionConfig,
  { keep, from }: Keep,
  { updated, stored }: Begun,
  ended: LastDay,
): Temporal.Instant | undefined {
  const since = (time: string): Temporal.Instant => afterInstant(Temporal.Instant.from(time), keep, timezone);
  const end =
    from === "created"
      ? since(updated)
      : from === "exported"
        ? since(stored)
        : ended === undefined
          ? undefined
          : afterDay(Temporal.PlainDate.from(ended), keep, timezone);
  return end && minimum ? laterOf(end, afterInstant(Temporal.Instant.from(stored), minimum, timezone)) : end;
}
