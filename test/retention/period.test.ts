import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RetentionConfig, RetentionStart } from "../../src/config/config.ts";
import { fileUntil, recordUntil, relationshipEnds } from "../../src/retention/keep.ts";
import { cooledBefore, dueLock } from "../../src/retention/lock-due.ts";

/**
 * An independent model: days are whole numbers (Julian day numbers, computed by Fliegel and Van Flandern), and zones
 * come from Intl. It does not use Temporal's calendar, which the tested code uses.
 */
function dayNumber(year: number, month: number, day: number): number {
  const a = Math.trunc((month - 14) / 12);
  return (
    Math.trunc((1461 * (year + 4800 + a)) / 4) +
    Math.trunc((367 * (month - 2 - 12 * a)) / 12) -
    Math.trunc((3 * Math.trunc((year + 4900 + a) / 100)) / 4) +
    day -
    32075
  );
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

const LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

interface Period {
  readonly years: number;
  readonly months: number;
  readonly days: number;
}

/** The number of the last day that is kept. */
function lastDay([year, month, day]: readonly [number, number, number], { years, months, days }: Period): number {
  const count = year * 12 + (month - 1) + years * 12 + months;
  const [y, m] = [Math.floor(count / 12), (count % 12) + 1];
  const length = m === 2 && isLeap(y) ? 29 : LENGTHS[m - 1]!;
  return dayNumber(y, m, Math.min(day, length)) + days;
}

const EPOCH = dayNumber(1970, 1, 1);

/** The local date in a zone at an instant. */
function wall(ms: number, timeZone: string): [number, number, number] {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" }).format(ms).split("-").map(Number);
  return parts as [number, number, number];
}

const ZONES = [
  ...["UTC", "America/New_York", "Pacific/Honolulu", "Asia/Tokyo", "Europe/Berlin", "Australia/Lord_Howe"],
  ...["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "America/St_Johns", "Etc/GMT+12", "Pacific/Chatham"],
];
const zone = fc.constantFrom(...ZONES);
const start = fc.constantFrom<RetentionStart>("created", "exported", "relationship-end", "account-closed");
const period: fc.Arbitrary<Period> = fc
  .record({ years: fc.nat(12), months: fc.nat(14), days: fc.nat(40) })
  .filter(({ years, months, days }) => years + months + days > 0);
/** The edges of months, and especially of February, as often as all other days. */
const dayOfYear = fc.oneof(
  fc.integer({ min: dayNumber(2019, 1, 1), max: dayNumber(2032, 12, 31) }),
  fc
    .tuple(fc.integer({ min: 2019, max: 2032 }), fc.integer({ min: 1, max: 13 }), fc.integer({ min: -4, max: 2 }))
    .map(([year, month, off]) => dayNumber(year, month === 13 ? 12 : month, 1) + off),
);
const dateOf = (day: number): string => new Date((day - EPOCH) * 86_400_000).toISOString().slice(0, 10);
const dateParts = (date: string) => date.split("-").map(Number) as [number, number, number];

function policy(
  keep: Period,
  from: RetentionStart,
  timezone?: string,
  more: Partial<RetentionConfig> = {},
): RetentionConfig {
  const clock = { keep: Temporal.Duration.from(keep), from };
  const short = Temporal.Duration.from("P1D");
  return {
    ...{ preset: undefined, classes: { identifying: clock, verification: clock, files: clock } },
    ...(timezone === undefined ? {} : { timezone }),
    ...{ initialLock: short, extendWhenLessThan: short, minimum: undefined, maximum: undefined, coolingOff: undefined },
    ...more,
  };
}

const LONG_AGO = "2010-06-15T12:00:00Z";

test("days from earlier bugs: month ends and leap days", () => {
  const until = (ended: string, keep: string, timezone?: string) =>
    String(relationshipEnds(policy(Temporal.Duration.from(keep), "relationship-end", timezone), ended));
  assert.equal(until("2024-02-28", "P5Y", "UTC"), "2029-03-01T00:00:00Z");
  assert.equal(until("2024-02-27", "P5Y", "UTC"), "2029-02-28T00:00:00Z");
  assert.equal(until("2024-02-29", "P5Y", "UTC"), "2029-03-01T00:00:00Z");
  for (const day of ["28", "29", "30", "31"])
    assert.equal(until(`2025-08-${day}`, "P6M", "UTC"), "2026-03-01T00:00:00Z");
  assert.equal(until("2025-08-27", "P6M", "UTC"), "2026-02-28T00:00:00Z");
  assert.equal(until("2024-12-31", "P5Y", "America/New_York"), "2030-01-01T05:00:00Z");
  assert.equal(until("2024-12-31", "P5Y", "Pacific/Honolulu"), "2030-01-01T10:00:00Z");
  assert.equal(until("2024-12-31", "P5Y", "Asia/Tokyo"), "2029-12-31T15:00:00Z");
  // Without a zone: 12 hours after the day's end in UTC it is over everywhere.
  assert.equal(until("2024-12-31", "P5Y"), "2030-01-01T12:00:00Z");
  // If clocks go forward at midnight, the day begins with its first existing hour.
  assert.equal(until("2025-09-06", "P1D", "America/Santiago"), "2025-09-08T03:00:00Z");
});

test("a relationship: kept to the end of last day + period in the client's zone, compared with a model of whole days", () => {
  fc.assert(
    fc.property(dayOfYear, period, zone, (day, keep, timezone) => {
      const ended = dateOf(day);
      const end = relationshipEnds(policy(keep, "relationship-end", timezone), ended)!;
      const last = lastDay(dateParts(ended), keep);
      assert.ok(dayNumber(...wall(end.epochMilliseconds, timezone)) > last, "it ends on a day that is kept");
      assert.equal(dayNumber(...wall(end.epochMilliseconds - 1, timezone)), last, "it is kept longer than that day");
      // Without a zone: never before any zone's end, and not much later than the last zone's.
      const anywhere = relationshipEnds(policy(keep, "relationship-end"), ended)!;
      assert.ok(Temporal.Instant.compare(anywhere, end) >= 0, "early for a zone");
      assert.equal(anywhere.epochMilliseconds, (last + 1 - EPOCH) * 86_400_000 + 12 * 3_600_000);
    }),
    { numRuns: 3_000 },
  );
});

test("created and exported: the clock starts on the client's own day, and never ends early in any zone", () => {
  const anInstant = fc.tuple(dayOfYear, fc.nat(86_399_999)).map(([day, ms]) => (day - EPOCH) * 86_400_000 + ms);
  fc.assert(
    fc.property(anInstant, period, zone, fc.constantFrom("created", "exported"), (ms, keep, timezone, from) => {
      const time = new Date(ms).toISOString();
      const begun = from === "created" ? { updated: time, stored: LONG_AGO } : { updated: LONG_AGO, stored: time };
      const end = recordUntil(policy(keep, from, timezone), begun, undefined)!;
      const last = lastDay(wall(ms, timezone), keep);
      assert.ok(dayNumber(...wall(end.epochMilliseconds, timezone)) > last);
      assert.equal(dayNumber(...wall(end.epochMilliseconds - 1, timezone)), last);
      const anywhere = recordUntil(policy(keep, from), begun, undefined)!;
      assert.ok(Temporal.Instant.compare(anywhere, end) >= 0, "early for a zone");
      // Its last date is that of the extreme zones, 12 hours west and 14 hours east of UTC, or in between.
      const [west, east] = [ms - 12 * 3_600_000, ms + 14 * 3_600_000].map((at) => lastDay(wall(at, "UTC"), keep));
      assert.ok(anywhere.epochMilliseconds >= (west! + 1 - EPOCH) * 86_400_000 + 12 * 3_600_000);
      assert.ok(anywhere.epochMilliseconds <= (east! + 1 - EPOCH) * 86_400_000 + 12 * 3_600_000, "far beyond the law");
    }),
    { numRuns: 3_000 },
  );
});

test("a later event never ends earlier, with and without a zone", () => {
  fc.assert(
    fc.property(
      ...[dayOfYear, fc.nat(3), fc.nat(86_399_999), fc.nat(86_399_999), period, start],
      fc.option(zone, { nil: undefined }),
      (day, later, ms, more, keep, from, timezone) => {
        const retention = policy(keep, from, timezone);
        const at = (ms: number) => new Date(ms).toISOString();
        const first = (day - EPOCH) * 86_400_000 + ms;
        const second = first + later * 86_400_000 + more;
        const until = (ms: number) =>
          fileUntil(retention, { updated: at(ms), stored: at(ms) }, dateOf(EPOCH + Math.floor(ms / 86_400_000)))!;
        assert.ok(Temporal.Instant.compare(until(first), until(second)) <= 0);
      },
    ),
    { numRuns: 3_000 },
  );
});

test("the former calculation in UTC ends at most a day earlier than today's: the replay allows two", () => {
  let most = 0;
  /** The former calculation: from an instant with its time of day, from a relationship's end with the day after it. */
  const instantBefore = (ms: number, keep: Period): number =>
    (lastDay(wall(ms, "UTC"), keep) - EPOCH) * 86_400_000 + (((ms % 86_400_000) + 86_400_000) % 86_400_000);
  const dayBefore = (day: number, keep: Period): number =>
    (lastDay(dateParts(dateOf(day + 1)), keep) - EPOCH) * 86_400_000;
  const anInstant = fc.oneof(
    fc.tuple(dayOfYear, fc.nat(86_399_999)).map(([day, ms]) => (day - EPOCH) * 86_400_000 + ms),
    fc.integer({ min: 9, max: 23 }).map((hour) => Date.UTC(2026, 1, 28, hour)),
  );
  const edge = fc.oneof(period, fc.constant({ years: 0, months: 1, days: 0 }));
  fc.assert(
    fc.property(anInstant, dayOfYear, edge, start, (ms, day, keep, from) => {
      const time = new Date(ms).toISOString();
      const end = fileUntil(policy(keep, from, "UTC"), { updated: time, stored: time }, dateOf(day))!;
      const isInstant = from === "created" || from === "exported";
      const earlier = isInstant ? instantBefore(ms, keep) : dayBefore(day, keep);
      most = Math.max(most, (end.epochMilliseconds - earlier) / 3_600_000);
    }),
    { numRuns: 10_000 },
  );
  assert.equal(most, 24);
});

test("minimum counts the same days: nothing ends before the copy is that old", () => {
  fc.assert(
    fc.property(dayOfYear, period, zone, (day, least, timezone) => {
      const stored = `${dateOf(day)}T23:30:00Z`;
      const minimum = Temporal.Duration.from(least);
      const retention = policy({ years: 0, months: 0, days: 1 }, "relationship-end", timezone, { minimum });
      const end = recordUntil(retention, { updated: stored, stored }, "2010-01-01")!;
      const last = lastDay(wall(Date.parse(stored), timezone), least);
      assert.equal(dayNumber(...wall(end.epochMilliseconds - 1, timezone)), last);
    }),
    { numRuns: 1_000 },
  );
});

test("hours and seconds alone are counted from the instant itself", () => {
  const retention = policy(Temporal.Duration.from("PT100M") as unknown as Period, "exported");
  const begun = { updated: LONG_AGO, stored: "2026-11-24T02:30:00.5Z" };
  assert.equal(String(recordUntil(retention, begun, undefined)), "2026-11-24T04:10:00.5Z");
});

test("cooling off: everything old enough to harden is among the candidates, also near month ends", () => {
  fc.assert(
    fc.property(dayOfYear, fc.nat(86_399_999), period, (day, ms, coolingOff) => {
      const now = Temporal.Instant.fromEpochMilliseconds((day - EPOCH) * 86_400_000 + ms);
      const cooling = Temporal.Duration.from(coolingOff);
      const retention = { ...policy({ years: 40, months: 0, days: 0 }, "relationship-end"), coolingOff: cooling };
      const bound = cooledBefore(cooling, now);
      for (let hours = -24 * 8; hours <= 24 * 8; hours += 12) {
        const stored = now.toZonedDateTimeISO("UTC").subtract(cooling).toInstant().add({ hours });
        const due = dueLock(
          { retention, mode: "compliance" },
          {
            ...{ kind: "record", key: "k", versionId: "1", size: 1, sha256: "", until: undefined },
            ...{ stored: String(stored), lockMode: "governance", lockedUntil: String(now.add({ hours: 24 * 400 })) },
          },
          false,
          now,
        );
        if (due) assert.ok(Temporal.Instant.compare(stored, bound) < 0, `${stored} is passed over at ${now}`);
      }
    }),
    { numRuns: 500 },
  );
});
