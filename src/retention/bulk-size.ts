import type { Rate } from "../config/rate.ts";

/** Locks that take longer than this at the configured rate are many enough to set them in bulk. */
const LONG = 3_600_000;
/** A date whose objects take less time is not worth a job of its own. */
const SHORT = 300_000;

/** From how many due objects on extending in bulk is advised. */
export function bulkFrom(rate: Rate): number {
  return objectsIn(rate, LONG);
}

/** The smallest job: one date's objects. A job has its own price, manifest, upload and report. */
export function smallestJob(rate: Rate): number {
  return objectsIn(rate, SHORT);
}

/** How long this many locks take, in seconds. */
export function secondsFor(objects: number, { count, per }: Rate): number {
  return (objects * per) / count / 1_000;
}

function objectsIn({ count, per }: Rate, time: number): number {
  return Math.max(1, Math.ceil((count * time) / per));
}
