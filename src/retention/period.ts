/**
 * When a period of the law is over. One in days, weeks, months or years ends with a day: the day it runs from is not
 * counted, and the last one is kept whole (Regulation 1182/71 Art. 3 counts so). A month without that day ends the
 * period with its own last day. Hours, minutes and seconds are counted after that, and alone from the instant itself.
 */

/** No day begins later than this after UTC's, and none begins earlier than that before it. */
const WEST = Temporal.Duration.from({ hours: 12 });
const EAST = Temporal.Duration.from({ hours: 14 });
/** By so much summer time may move a zone's days between the beginning of a period and its end. */
const SUMMER = Temporal.Duration.from({ hours: 2 });

/**
 * A period that runs from a day.
 * @param zone whose days these are, an IANA name; undefined: it is over only when it is over in every zone
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

/** A period that runs from something that happened at an instant. `zone` as above. */
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
    // The furthest west that it was this day: there the period ends last of all places that it was this day.
    const west = shorter(WEST, instant.since(startInUtc(day)).add(SUMMER));
    const over = startInUtc(dayAfter(day, period)).add(west);
    if (end === undefined || Temporal.Instant.compare(over, end) > 0) end = over;
  }
  return end!.add(timeOf(period));
}

/** The date of an instant in a zone; in UTC where none is known. */
export function dateIn(instant: Temporal.Instant, zone: string | undefined): Temporal.PlainDate {
  return instant.toZonedDateTimeISO(zone ?? "UTC").toPlainDate();
}

/** The same; where no zone is known, the earliest date that it is anywhere. */
export function earliestDate(instant: Temporal.Instant, zone: string | undefined): Temporal.PlainDate {
  return dateIn(zone === undefined ? instant.subtract(WEST) : instant, zone);
}

function dayAfter(day: Temporal.PlainDate, { years, months, weeks, days }: Temporal.Duration): Temporal.PlainDate {
  // The period first, and then the day: before a month's end or a leap day the other order ends a day early.
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
