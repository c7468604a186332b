/** Formats numbers with their units for people. */
let integer: Intl.NumberFormat | undefined;
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

export function number(value: number): string {
  // Made when first used: that takes as long as loading many modules, and most commands print no such number.
  integer ??= new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  return integer.format(value);
}

/** Decimal units, three digits: `1.25 MB`. */
export function bytes(value: number): string {
  let unit = 0;
  let amount = value;
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || amount >= 99.95 ? 0 : amount >= 9.995 ? 1 : 2;
  return `${amount.toFixed(digits)} ${UNITS[unit]}`;
}

/** `0.8 s`, `42 s`, `3 min 20 s`, `20 min`, `2 h 5 min`. */
export function seconds(value: number): string {
  if (value < 9.95) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min${rest(whole % 60, "s")}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h${rest(minutes % 60, "min")}`;
  return `${Math.floor(hours / 24)} days${rest(hours % 24, "h")}`;
}

const rest = (value: number, unit: string): string => (value === 0 ? "" : ` ${value} ${unit}`);

/** `0.09`; what rounds to nothing is `below 0.01`. In whatever currency the prices have. */
export function money(value: number): string {
  return value > 0 && value < 0.005 ? "below 0.01" : value.toFixed(2);
}

export function rate(count: number, elapsed: number): string {
  const value = elapsed > 0 ? count / elapsed : 0;
  return `${value < 10 ? value.toFixed(1) : number(value)}/s`;
}

/** An instant (RFC 3339 UTC) to the minute: `2026-11-20 14:02`. */
export function minute(time: string): string {
  return time.slice(0, 16).replace("T", " ");
}

/** How long before `now` an instant was, in one unit: `just now`, `20 min ago`, `3 h ago`, `12 days ago`. */
export function ago(time: string, now: Temporal.Instant): string {
  const minutes = Math.floor((now.epochMilliseconds - Temporal.Instant.from(time).epochMilliseconds) / 60_000);
  if (minutes < 0) return `on ${minute(time)} UTC`;
  if (minutes < 1) return "just now";
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${number(Math.floor(hours / 24))} days ago`;
}

/** `1 record`, `2 records`; with `many` for other plurals: `1 entry`, `2 entries`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** What a token stands for. One customer may have several: one at each provider. */
export function verifications(count: number): string {
  return plural(count, "verification");
}

/** With a capital letter first, as the beginning of a sentence. */
export function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
