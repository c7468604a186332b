import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { nextDue } from "../../src/session/next-run.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ZONES = [
  ...["Europe/Berlin", "America/New_York", "Australia/Melbourne", "Australia/Lord_Howe", "Pacific/Apia"],
  ...["America/Sao_Paulo", "America/St_Johns", "UTC"],
];
const PATTERNS = [
  ...["30 2 * * *", "*/30 * * * *", "0 0 1 * *", "0 3 * * 1-5", "15 2 * * *", "0 * * * *", "30 * * * *", "0 0 * * *"],
  ...["30 23 * * *", "*/20 1-3 * * *", "0 */2 * * *", "59 23 28-31 * *", "0 12 30 12 *", "30 1 * * 0", "* 2 * * *"],
];

/** A pattern's fields by a reader of the test's own: minute, hour, day, month, weekday. */
function reader(pattern: string): (wall: Date) => boolean {
  const fields = pattern.split(" ").map((field) => (value: number): boolean => {
    const [, range, step] = /^(.*?)(?:\/(\d+))?$/.exec(field)!;
    if (range === "*") return value % Number(step ?? 1) === 0;
    const [low, high] = range!.split("-").map(Number);
    return value >= low! && value <= (high ?? low!);
  });
  return (wall) => {
    const day = [wall.getUTCDate(), wall.getUTCMonth() + 1, wall.getUTCDay()];
    return [wall.getUTCMinutes(), wall.getUTCHours(), ...day].every((value, at) => fields[at]!(value));
  };
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What a clock on the wall shows, as if it were UTC. */
function wallOf(zone: string, at: number): number {
  let format = formats.get(zone);
  if (!format) {
    const two = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const;
    format = new Intl.DateTimeFormat("en", { timeZone: zone, hourCycle: "h23", year: "numeric", ...two });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(parts.year!, parts.month! - 1, parts.day!, parts.hour!, parts.minute!);
}

/** Every minute of four days, and what the wall shows. */
const windows = new Map<string, readonly { readonly at: number; readonly wall: number }[]>();
function minutesAround(zone: string, middle: number) {
  const name = `${zone} ${middle}`;
  let minutes = windows.get(name);
  if (!minutes) {
    const times = Array.from({ length: 4 * 1440 }, (_, minute) => middle + (minute - 2 * 1440) * MINUTE);
    minutes = times.map((at) => ({ at, wall: wallOf(zone, at) }));
    windows.set(name, minutes);
  }
  return minutes;
}

const dueOf = new Map<string, readonly number[]>();
/** All that is due around a time, in order. */
function dueAround(zone: string, middle: number, pattern: string): readonly number[] {
  const name = `${zone} ${middle} ${pattern}`;
  let due = dueOf.get(name);
  if (!due) {
    due = dueIn(minutesAround(zone, middle), pattern);
    dueOf.set(name, due);
  }
  return due;
}

/** All that is due in these days: each minute is looked at, and each that the wall passes over. */
function dueIn(minutes: ReturnType<typeof minutesAround>, pattern: string): number[] {
  const matches = reader(pattern);
  const isHourly = pattern.split(" ")[1] === "*";
  const last = new Map(minutes.map(({ at, wall }) => [wall, at]));
  const due = new Set<number>();
  let before = minutes[0]!.wall - MINUTE;
  for (const { at, wall } of minutes) {
    for (let passed = before + MINUTE; passed < wall; passed += MINUTE) if (matches(new Date(passed))) due.add(at);
    if (matches(new Date(wall)) && (isHourly || last.get(wall) === at)) due.add(at);
    before = wall;
  }
  return [...due].sort((one, other) => one - other);
}

/** The minutes at which clocks of the zone are changed in a year. */
function changesOf(zone: string, year: number): number[] {
  const offset = (at: number) => wallOf(zone, at) - at;
  const found: number[] = [];
  for (let at = Date.UTC(year, 0, 1); at < Date.UTC(year + 1, 0, 1); at += 6 * HOUR) {
    if (offset(at) === offset(at + 6 * HOUR)) continue;
    let minute = at;
    while (offset(minute) === offset(at)) minute += MINUTE;
    found.push(minute);
  }
  return found;
}

describe("when a run is due, against each minute of the days around a change of the clocks", () => {
  for (const zone of ZONES) {
    test(zone, () => {
      // Samoa left out 30 December 2011; São Paulo changed at midnight until 2019.
      const years = { "Pacific/Apia": [2010, 2011, 2019], "America/Sao_Paulo": [2008, 2017, 2018] }[zone];
      const changes = (years ?? [2006, 2026, 2027]).flatMap((year) => changesOf(zone, year));
      if (zone === "UTC") assert.deepEqual(changes, []);
      else assert.ok(changes.length >= 3, `${changes.length} changes`);
      const middles = zone === "UTC" ? [Date.UTC(2027, 1, 28, 12)] : changes;
      fc.assert(
        fc.property(
          fc.constantFrom(...middles),
          fc.constantFrom(...PATTERNS),
          fc.integer({ min: -36 * 3600, max: 36 * 3600 }),
          (middle, pattern, seconds) => {
            const after = middle + seconds * 1000;
            const expected = dueAround(zone, middle, pattern).find((at) => at > after);
            const found = nextDue(
              { cron: pattern, timezone: zone },
              Temporal.Instant.fromEpochMilliseconds(after),
            ).epochMilliseconds;
            // A time that comes twice may come again after these days only where they end in between: they do not.
            if (expected !== undefined) assert.equal(new Date(found).toISOString(), new Date(expected).toISOString());
            else assert.ok(found > minutesAround(zone, middle).at(-1)!.at, new Date(found).toISOString());
          },
        ),
        { numRuns: 400 },
      );
    });
  }
});

test("a pattern with seconds, and dates that come seldom", () => {
  const next = (cron: string, after: string, timezone = "Europe/Berlin") =>
    nextDue({ cron, timezone }, Temporal.Instant.from(after)).toString();
  assert.equal(next("* * * * * *", "2027-10-31T00:59:59.999Z"), "2027-10-31T01:00:00Z");
  assert.equal(next("7 30 2 * * *", "2027-10-30T12:00:00Z"), "2027-10-31T01:30:07Z");
  assert.equal(next("0 0 29 2 1", "2027-10-30T12:00:00Z", "UTC"), "2044-02-29T00:00:00Z");
  assert.equal(next("0 3 L * *", "2027-02-01T00:00:00Z"), "2027-02-28T02:00:00Z");
  assert.equal(next("0 3 * * 1#2", "2027-02-01T00:00:00Z"), "2027-02-08T02:00:00Z");
});
