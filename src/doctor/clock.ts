import { request } from "undici";
import type { Clock } from "../core/clock.ts";
import { dispatcher } from "../net/proxy.ts";
import { type Finding, findings } from "./finding.ts";

const { ok, warning, failure } = findings("clock");
const HINT = "Set this machine's clock, and keep it set (NTP): locks, leases and the log are dated by it.";

/** From here on it is unwise, in ms: far beyond what a network and a header without fractions of a second explain. */
const UNWISE = 30_000;
/** Leases of two machines are told apart by their clocks: one that is off by this takes over what is held. */
const WRONG = 4 * 60_000;

/**
 * This machine's clock against someone else's.
 * @param skew how far this one is ahead, in ms; undefined if the other did not say what time it is
 */
export function checkClock(other: string, skew: number | undefined): Finding {
  if (skew === undefined)
    return warning(`${other} does not say what time it is`, "Compare this machine's clock by hand.");
  const seconds = Math.abs(skew) / 1000;
  const text =
    seconds < 1.5 ? `agrees with ${other}` : `${seconds.toFixed(0)} s ${skew > 0 ? "ahead of" : "behind"} ${other}`;
  if (Math.abs(skew) >= WRONG) return failure(text, HINT);
  return Math.abs(skew) >= UNWISE ? warning(text, HINT) : ok(text);
}

/** As RFC 9110 has it: what else Date.parse takes ("0", "1 May") is no server's time. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** A server that says an earlier time has no clock. */
const EARLIEST = Date.UTC(2026, 0, 1);

/**
 * How far `now` is ahead of an HTTP Date header, in ms; its missing fractions are taken as a half. Undefined for what
 * proves nothing.
 */
export function skewOf(date: unknown, now: Temporal.Instant): number | undefined {
  const other = typeof date === "string" && HTTP_DATE.test(date) ? Date.parse(date) : Number.NaN;
  return Number.isNaN(other) || other < EARLIEST ? undefined : now.epochMilliseconds - (other + 500);
}

/**
 * Asks a web server for nothing but its time: no key is sent, and whatever it answers has a Date. Its certificate is not
 * checked: by a clock that is years off none is valid, and that clock is what is to be found out.
 */
export async function skewOfServer(url: string, now: Clock, timeout: number): Promise<number | undefined> {
  await using way = dispatcher({ timeouts: { connect: timeout, headers: timeout, body: timeout }, unverified: true });
  try {
    const { headers, body } = await request(url, { dispatcher: way });
    const skew = skewOf(headers.date, now());
    await body.dump({ limit: 64 * 1024 }).catch(() => {});
    return skew;
  } catch {
    // That it cannot be had is what the check of the source says.
    return undefined;
  }
}
