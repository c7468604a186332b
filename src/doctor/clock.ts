import type { Clock } from "../core/clock.ts";
import { skewOf } from "../core/clock-check.ts";
import { addressed, dispatcher } from "../net/dispatcher.ts";
import { type Finding, findings } from "./finding.ts";

const { ok, warning, failure } = findings("clock");
const HINT = "Set this machine's clock and keep it in sync (NTP): it dates locks, leases and the log.";

/** Warn from this skew on, in ms: far more than network delay and a header without fractions of a second explain. */
const UNWISE = 30_000;
/** Fail from this skew on: leases are compared by the machines' clocks, and a machine this far off would take over a held lease. */
const WRONG = 4 * 60_000;

/**
 * Compares this machine's clock with a server's.
 * @param skew how far this machine is ahead, in ms; undefined if the server did not say its time, null if it could not be
 *   reached
 */
export function checkClock(other: string, skew: number | undefined | null): Finding {
  if (skew === null)
    return warning(`not checked: ${other} could not be reached`, "Run doctor again when it can be reached.");
  if (skew === undefined) return warning(`${other} does not send its time`, "Check this machine's clock by hand.");
  const seconds = Math.abs(skew) / 1000;
  const text =
    seconds < 1.5 ? `agrees with ${other}` : `${seconds.toFixed(0)} s ${skew > 0 ? "ahead of" : "behind"} ${other}`;
  if (Math.abs(skew) >= WRONG) return failure(text, HINT);
  return Math.abs(skew) >= UNWISE ? warning(text, HINT) : ok(text);
}

/**
 * Null if the server cannot be reached.
 *
 * Asks a web server for its time only: sends no key, and any answer has a Date. It does not check the certificate: no
 * certificate is valid by a clock that is years off, which is what this must detect.
 */
export async function skewOfServer(url: string, now: Clock, timeout: number): Promise<number | undefined | null> {
  await using way = dispatcher({ timeouts: { connect: timeout, headers: timeout, body: timeout }, unverified: true });
  try {
    const { headers, body } = await way.request({ ...addressed(url), method: "GET" });
    const skew = skewOf(headers.date, now());
    await body.dump({ limit: 64 * 1024 }).catch(() => {});
    return skew;
  } catch {
    // The check of the source reports why.
    return null;
  }
}
