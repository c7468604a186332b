import cron from "node-cron";
import type { ScheduleConfig } from "../src/config/config.ts";

/**
 * When a run is due next, by the machine's clock. node-cron passes over a night in which the clocks go forward past the
 * time it is told: that run is due when they have. Where they go back and the time comes twice, it is due once, the
 * second time.
 */
export function nextDue(schedule: Pick<ScheduleConfig, "cron" | "timezone">): Temporal.Instant {
  const [next] = nextRuns(schedule.cron, schedule.timezone);
  let from = Temporal.Instant.fromEpochMilliseconds(Date.now());
  for (;;) {
    const change = from.toZonedDateTimeISO(schedule.timezone).getTimeZoneTransition("next");
    if (change === null || Temporal.Instant.compare(change.toInstant(), next!) >= 0) return next!;
    if (matchesSkipped(schedule.cron, change)) return change.toInstant();
    from = change.toInstant();
  }
}

function nextRuns(pattern: string, timezone: string): Temporal.Instant[] {
  const task = cron.createTask(pattern, () => {}, { timezone });
  try {
    return task.getNextRuns(1).map((date) => Temporal.Instant.fromEpochMilliseconds(date.getTime()));
  } finally {
    void task.destroy();
  }
}

/** Whether the pattern means a time of day that is left out when the clocks go forward to `change`. */
function matchesSkipped(pattern: string, change: Temporal.ZonedDateTime): boolean {
  const before = change.subtract({ nanoseconds: 1 });
  const skipped = (change.offsetNanoseconds - before.offsetNanoseconds) / 1_000_000;
  if (skipped <= 0) return false;
  // Times of day as if they were UTC, which leaves none out.
  const end = change.toPlainDateTime().toZonedDateTime("UTC").epochMilliseconds;
  const step = pattern.trim().split(/\s+/).length > 5 ? 1_000 : 60_000;
  const task = cron.createTask(pattern, () => {}, { timezone: "UTC" });
  try {
    for (let at = end - skipped; at < end; at += step) if (task.match(new Date(at))) return true;
    return false;
  } finally {
    void task.destroy();
  }
}
