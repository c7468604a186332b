/**
 * The century's own calendar: every day from 2000 on, written down one after the other, without a date library. Days
 * are whole numbers, 0 is 1 January 2000. Times are seconds since 1970, UTC.
 */

export const DAY = 86_400;
const HOUR = 3_600;
const FIRST = 946_684_800;
const LAST_YEAR = 2399;

interface Date {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const DATES: Date[] = [];
const NUMBERS = new Map<string, number>();
for (let date: Date = { year: 2000, month: 1, day: 1 }; date.year <= LAST_YEAR; date = tomorrow(date)) {
  NUMBERS.set(textOf(date), DATES.length);
  DATES.push(date);
}

function isLeap(year: number): boolean {
  return year % 400 === 0 || (year % 4 === 0 && year % 100 !== 0);
}

function lastOf(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function tomorrow({ year, month, day }: Date): Date {
  if (day < lastOf(year, month)) return { year, month, day: day + 1 };
  return month < 12 ? { year, month: month + 1, day: 1 } : { year: year + 1, month: 1, day: 1 };
}

function textOf({ year, month, day }: Date): string {
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

export function dayOf(text: string): number {
  const day = NUMBERS.get(text);
  if (day === undefined) throw new RangeError(`${text} is no day of this calendar`);
  return day;
}

export function dayText(day: number): string {
  return textOf(DATES[day]!);
}

export function dateOf(day: number): Date {
  return DATES[day]!;
}

/** The first second of a day in UTC. */
export function startOf(day: number): number {
  return FIRST + day * DAY;
}

export function utcDay(seconds: number): number {
  return Math.floor((seconds - FIRST) / DAY);
}

/** `P1Y6M`, `P90D`, `P2YT12H`: months, days and seconds. */
export interface Period {
  readonly months: number;
  readonly days: number;
  readonly seconds: number;
}

export function period(text: string): Period {
  const match = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(text);
  if (!match) throw new RangeError(`${text} is no period`);
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  return { months: 12 * years + months, days: 7 * weeks + days, seconds: 3600 * hours + 60 * minutes + seconds };
}

/** Adds months first (a month without that day gives its last one), then days. */
export function plusDays(day: number, { months, days }: Period): number {
  const from = dateOf(day);
  const month = from.month - 1 + months;
  const year = from.year + Math.floor(month / 12);
  const at = { year, month: (month % 12) + 1 };
  return dayOf(textOf({ ...at, day: Math.min(from.day, lastOf(at.year, at.month)) })) + days;
}

/** The end of a period that starts at a time, by UTC's calendar. */
export function plusUtc(seconds: number, length: Period): number {
  const day = utcDay(seconds);
  return startOf(plusDays(day, length)) + (seconds - startOf(day)) + length.seconds;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The date in a zone. */
export function localDay(seconds: number, zone: string): number {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
    formats.set(zone, format);
  }
  return dayOf(format.format(seconds * 1000));
}

const ends = new Map<string, number>();

/** The first second after a day in a zone: checks each quarter of an hour until the date changes. */
export function endOfDay(day: number, zone: string): number {
  const name = `${day} ${zone}`;
  let end = ends.get(name);
  if (end === undefined) {
    end = startOf(day + 1) - 15 * HOUR;
    while (localDay(end, zone) <= day) end += HOUR / 4;
    ends.set(name, end);
  }
  return end;
}
