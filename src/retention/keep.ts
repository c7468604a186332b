import type { Keep, RetentionConfig } from "../config/config.ts";
import { afterDay, afterInstant } from "./period.ts";

/** What starts the clocks of one version: when the provider made it, and when it was stored. RFC 3339 UTC. */
export interface Begun {
  readonly updated: string;
  readonly stored: string;
}

/** The last day of the relationship, `2026-11-24`; undefined while it lasts, as far as Holdfast was told. */
export type Ended = string | undefined;

/**
 * Until when the law asks for the sealed record of a version; undefined while no one knows. It holds who someone is
 * and what was found of them, and is kept for the longer of the two.
 */
export function recordUntil(retention: RetentionConfig, begun: Begun, ended: Ended): Temporal.Instant | undefined {
  const { identifying, verification } = retention.classes;
  return later(keepUntil(retention, identifying, begun, ended), keepUntil(retention, verification, begun, ended));
}

/** The same of a file, for one of the versions that list it: it is kept for the last of them. */
export function fileUntil(retention: RetentionConfig, begun: Begun, ended: Ended): Temporal.Instant | undefined {
  return keepUntil(retention, retention.classes.files, begun, ended);
}

/** The last end of any class whose clock a relationship starts, if it ended on that day; undefined where none has. */
export function relationshipEnds(retention: RetentionConfig, ended: string): Temporal.Instant | undefined {
  const ends = Object.values(retention.classes)
    .filter(({ from }) => from === "relationship-end" || from === "account-closed")
    .map(({ keep }) => afterDay(Temporal.PlainDate.from(ended), keep, retention.timezone));
  return ends.sort(Temporal.Instant.compare).at(-1);
}

/** The later of two ends, where undefined is one that is not known yet. */
export function later(
  one: Temporal.Instant | undefined,
  other: Temporal.Instant | undefined,
): Temporal.Instant | undefined {
  if (one === undefined || other === undefined) return undefined;
  return Temporal.Instant.compare(one, other) >= 0 ? one : other;
}

/**
 * Of `created` the provider's time of the version stands in for that of the identity, which is earlier. A relationship
 * lasts to the end of its last day.
 */
function keepUntil(
  { minimum, timezone }: RetentionConfig,
  { keep, from }: Keep,
  { updated, stored }: Begun,
  ended: Ended,
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
  return end && minimum ? later(end, afterInstant(Temporal.Instant.from(stored), minimum, timezone)) : end;
}
