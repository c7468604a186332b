import { scalarText } from "../../io/exact-json.ts";

const LAST = 253_402_300_800_000;
/** From here on a number counts milliseconds: as seconds it would be the year 5138. */
const MILLISECONDS = 100_000_000_000;

/**
 * An instant as RFC 3339 UTC: from RFC 3339, also with a blank for the `T`; from a date, whose day begins in UTC; from
 * a time without a zone, which counts as UTC; from Unix seconds or milliseconds.
 */
export function instantOf(value: unknown): string | undefined {
  const text = scalarText(value)?.trim();
  if (!text || text.length > 40) return undefined;
  const ms = /^\d{9,13}(\.\d+)?$/.test(text) ? unix(Number(text)) : written(text);
  if (ms === undefined || ms < 0 || ms >= LAST) return undefined;
  return Temporal.Instant.fromEpochMilliseconds(ms).toString();
}

const unix = (count: number): number => Math.floor(count >= MILLISECONDS ? count : count * 1_000);

function written(text: string): number | undefined {
  const [, date, time = "00:00", zone = "Z"] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?) ?(Z|UTC|[+-]\d{2}:?\d{2})?)?$/i.exec(text) ??
    [];
  if (date === undefined) return undefined;
  try {
    return Temporal.Instant.from(`${date}T${time}${/^utc$/i.test(zone) ? "Z" : zone}`).epochMilliseconds;
  } catch {
    return undefined;
  }
}
