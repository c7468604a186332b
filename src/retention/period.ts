/**
 * When a period of the law is over. A period in days, weeks, months or years ends at the end of a day: the starting day
 * does not count, and the last day counts in full (like Regulation 1182/71 Art. 3). If the last month lacks that day,
 * the period ends with the month. Hours, minutes and seconds are added after that; a period of only these starts at the
 * instant.
 */

/** No zone's day begins more than 12 hours after UTC's, or more than 14 hours before it. */
const WEST = Temporal.Duration.from({ hours: 12 });
const EAST = Temporal.Duration.from({ hours: 14 });
/** Summer time may move a zone's days by this much between the start of a period and its end. */
const SUMMER = Temporal.Duration.from({ hours: 2 });

/**
 * A period that runs from a day.
 * @param zone whose days count, an IANA name; undefined: the period is over when it is over in every zone
 */
export function afterDay(
  day: Temporal.PlainDate,
  period: Temporal.Duration,
  zone: string | undefined,
): Temporal.Instant {
  const next = dayAfter(day, period);
  const end = zone === undefined ? startInUtc(next).add(WEST) : next.toZonedDateTime(zone).toInstant();
  return end.add(timeOf(period));
}

/** A period that starts at an instant. `zone` as in `afterDay`. */
export function afterInstant(
  instant: Temporal.Instant,
  period: Temporal.Duration,
  zone: string | undefined,
): Temporal.Instant {
  if (!hasDays(period)) return instant.add(period);
  if (zone !== undefined) return afterDay(dateIn(instant, zone), period, zone);
  const last = dateIn(instant.add(EAST), "UTC");
  let end: Temporal.Instant | undefined;
  for (let day = dateIn(instant.subtract(WEST), "UTC"); isUpTo(day, last); day = day.add({ days: 1 })) {
    // The westernmost place where it was this day: of all such places, the period ends there last.
    const west = shorter(WEST, instant.since(startInUtc(day)).add(SUMMER));
    const over = startInUtc(dayAfter(day, period)).add(west);
    if (end === undefined || Temporal.Instant.compare(over, end) > 0) end = over;
  }
  return end!.add(timeOf(period));
}

/** The date of an instant in a zone; in UTC without a zone. */
export function dateIn(instant: Temporal.Instant, zone: string | undefined): Temporal.PlainDate {
  return instant.toZonedDateTimeISO(zone ?? "UTC").toPlainDate();
}

/** The same; without a zone, the earliest date anywhere. */
export function earliestDate(instant: Temporal.Instant, zone: string | undefined): Temporal.PlainDate {
  return dateIn(zone === undefined ? instant.subtract(WEST) : instant, zone);
}

function dayAfter(day: Temporal.PlainDate, { years, months, weeks, days }: Temporal.Duration): Temporal.PlainDate {
  // Add the period first, then the day: near a month's end or a leap day, the other order ends a day early.
  return day.add({ years, months, weeks, days }).add({ days: 1 });
}

function hasDays({ years, months, weeks, days }: Temporal.Duration): boolean {
  return years + months + weeks + days > 0;
}

function timeOf(period: Temporal.Duration): Temporal.Duration {
  return period.with({ years: 0, months: 0, weeks: 0, days: 0 });
}

function startInUtc(day: Temporal.PlainDate): Temporal.Instant {
  return day.toZonedDateTime("UTC").toInstant();
}

function isUpTo(day: Temporal.PlainDate, last: Temporal.PlainDate): boolean {
  return Temporal.PlainDate.compare(day, last) <= 0;
}

function shorter(one: Temporal.Duration, other: Temporal.Duration): Temporal.Duration {
  return Temporal.Duration.compare(one, other) <= 0 ? one : other;
}
