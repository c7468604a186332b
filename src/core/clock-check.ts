import { HoldfastError } from "./error.ts";

/** A larger difference means a wrong clock, in ms. S3 uses the same limit, far above any network delay. */
export const APART = 15 * 60_000;

/** A log without entries for this long cannot confirm today's date, in hours. */
const SILENT = 35 * 24;

/**
 * Throws `state` if only this machine's clock says what day it is: a clock that is ahead would delete what must be
 * kept. If a person names the day (UTC), that counts.
 */
export function refuseLoneClock(now: Temporal.Instant, { skew, last }: Witnesses, today: string | undefined): void {
  const day = now.toZonedDateTimeISO("UTC").toPlainDate();
  if (today !== undefined && today !== day.toString()) {
    throw new HoldfastError("usage", `--today says ${today}, but this machine's clock says ${day} (UTC)`, {
      hint: HINT,
    });
  }
  const isRecent = last !== undefined && now.since(last).total("hours") <= SILENT;
  if (skew !== undefined || isRecent || today) return;
  throw new HoldfastError("state", `only this machine's clock says that today is ${day}`, {
    hint: `The provider does not answer, and the log's last entry is older than 35 days. Check the date on a calendar. If it is right, add --today ${day}. Nothing was removed.`,
  });
}

/** Other sources for the current time. */
export interface Witnesses {
  /** How far this clock is ahead of the provider's, in ms. Undefined if the provider does not tell. */
  readonly skew: number | undefined;
  /** Time of the log's last entry. */
  readonly last: Temporal.Instant | undefined;
}

const HINT = "Set this machine's clock and keep it in sync (NTP). Nothing was written.";

/**
 * Throws `state` if this machine's clock is wrong according to the provider or, without its answer, according to the
 * log. If the provider agrees with the clock, the log does not matter: then a clock that was ahead made its last entry,
 * and only waiting would help.
 * @returns whether the log's last entry is from the future
 */
export function refuseWrongClock(now: Temporal.Instant, { skew, last }: Witnesses): boolean {
  const clock = now.toString({ smallestUnit: "second" });
  if (skew !== undefined && Math.abs(skew) > APART) {
    const theirs = now.subtract({ milliseconds: Math.round(skew) }).toString({ smallestUnit: "second" });
    throw new HoldfastError("state", `this machine's clock says ${clock}, but the provider's says ${theirs}`, {
      hint: `${HINT} If this clock is right, the provider's is wrong: runs start again once it is set.`,
    });
  }
  const isBehind = last !== undefined && last.epochMilliseconds - now.epochMilliseconds > APART;
  if (!isBehind || skew !== undefined) return isBehind;
  const logged = last.toString({ smallestUnit: "second" });
  throw new HoldfastError(
    "state",
    `this machine's clock says ${clock}, but the log's last entry was made at ${logged}`,
    {
      hint: `${HINT} If this clock is right, a wrong clock made that entry: run again once the provider answers, because its answers give the time.`,
    },
  );
}

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
