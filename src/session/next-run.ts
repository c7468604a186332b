import cron from "node-cron";
import type { ScheduleConfig } from "../config/config.ts";

type Fields = ReturnType<typeof cron.parse>;

/** As node-cron has it: a date that comes less often than that never comes. */
const DAYS = 366 * 100;
const DAY = 86_400_000;

/**
 * The first time after `after` at which a run is due. node-cron reads the pattern; the times are worked out here, because
 * it passes over some of those around a change of the clocks. A time of day that the clocks leave out is due when they
 * have gone forward. One that comes twice is due the second time; a pattern for every hour is due both times.
 */
export function nextDue(
  { cron: pattern, timezone }: Pick<ScheduleConfig, "cron" | "timezone">,
  after: Temporal.Instant,
): Temporal.Instant {
  const fields = cron.parse(pattern);
  const isHourly = fields.hour.length === 24;
  // Times of day are reckoned as if they were UTC, which leaves none out and has none twice.
  const task = cron.createTask(pattern, () => {}, { timezone: "UTC" });
  const first = (from: number, until: number) => firstTime(fields, (at) => task.match(new Date(at)), from, until);
  try {
    const limit = after.epochMilliseconds + DAYS * DAY;
    // Between two changes, a time of day is the time of UTC and an offset.
    let begin = Math.floor(after.epochMilliseconds / 1000) * 1000;
    let from = begin + 1000;
    while (begin < limit) {
      const there = Temporal.Instant.fromEpochMilliseconds(begin).toZonedDateTimeISO(timezone);
      const offset = there.offsetNanoseconds / 1_000_000;
      const change = there.getTimeZoneTransition("next");
      const end = Math.min(change?.epochMilliseconds ?? limit, limit);
      const then = change === null ? offset : change.offsetNanoseconds / 1_000_000;
      // What comes again after the change is due then.
      const once = isHourly ? end + offset : Math.min(end + offset, end + then);
      const found = first(from + offset, once);
      if (found !== undefined) return Temporal.Instant.fromEpochMilliseconds(found - offset);
      if (first(end + offset, end + then) !== undefined) return Temporal.Instant.fromEpochMilliseconds(end);
      begin = end;
      from = end;
    }
    throw new RangeError(`no time matches ${pattern}`);
  } finally {
    void task.destroy();
  }
}

/** The first time from `from` on and before `until` that the pattern means, all as if in UTC, in ms. */
function firstTime(
  { second, minute, hour, month }: Fields,
  matches: (at: number) => boolean,
  from: number,
  until: number,
): number | undefined {
  const [hours, minutes, seconds] = [sorted(hour), sorted(minute), sorted(second)];
  const earliest = (hours[0]! * 3600 + minutes[0]! * 60 + seconds[0]!) * 1000;
  for (let day = Math.floor(from / DAY) * DAY; day < until; day += DAY) {
    if (!month.includes(new Date(day).getUTCMonth() + 1) || !matches(day + earliest)) continue;
    const at = firstOfDay([hours, minutes, seconds], from - day);
    if (at !== undefined) return day + at < until ? day + at : undefined;
  }
  return undefined;
}

/** The first time of a day that is not before `from`, in ms since its midnight. */
function firstOfDay([hours, minutes, seconds]: readonly [number[], number[], number[]], from: number) {
  for (const hour of hours) {
    if ((hour + 1) * 3_600_000 <= from) continue;
    for (const minute of minutes) {
      const at = (hour * 60 + minute) * 60_000;
      if (at + 60_000 <= from) continue;
      for (const second of seconds) if (at + second * 1000 >= from) return at + second * 1000;
    }
  }
  return undefined;
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((one, other) => one - other);
}
