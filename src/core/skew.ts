/** The format of RFC 9110. Date.parse accepts more ("0", "1 May"), which is not a server's time. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** A server with an earlier time has no working clock. */
const EARLIEST = Date.UTC(2026, 0, 1);

/**
 * How far `now` is ahead of an HTTP Date header, in ms; the missing fraction counts as half a second. Undefined for an
 * unusable header.
 */
export function skewOf(date: unknown, now: Temporal.Instant): number | undefined {
  const other = typeof date === "string" && HTTP_DATE.test(date) ? Date.parse(date) : Number.NaN;
  return Number.isNaN(other) || other < EARLIEST ? undefined : now.epochMilliseconds - (other + 500);
}
