import { randomBytes } from "node:crypto";

/** A run's id in the log: its start time in seconds and three random bytes. */
export function runId(now: Temporal.Instant): string {
  const time = now.toString({ smallestUnit: "second" }).replace(/[-:]/g, "");
  return `${time}-${randomBytes(3).toString("hex")}`;
}
