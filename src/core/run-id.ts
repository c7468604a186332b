import { randomBytes } from "node:crypto";

/** A run's name in the log: when it began, to the second, and three random bytes. */
export function runId(now: Temporal.Instant): string {
  const time = now.toString({ smallestUnit: "second" }).replace(/[-:]/g, "");
  return `${time}-${randomBytes(3).toString("hex")}`;
}
