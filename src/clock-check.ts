import { HoldfastError } from "./error.ts";

/** Clocks that differ by more are wrong, in ms: as S3 has it, and far beyond what a network explains. */
export const APART = 15 * 60_000;

/** What is known of the time beside this machine's clock. */
export interface Witnesses {
  /** How far the clock is ahead of the provider's, in ms; undefined where that does not say. */
  readonly skew: number | undefined;
  /** When the log's last entry was made. */
  readonly last: Temporal.Instant | undefined;
}

const MEND = "Set this machine's clock, and keep it set (NTP). Nothing was written.";

/**
 * Throws `state` where this machine's clock is wrong by what the provider says, or by the log where the provider says
 * nothing. A provider that agrees is believed over the log: its last entry was then made by a clock that was ahead, and
 * nothing but time would help.
 * @returns whether the log's last entry is from the future
 */
export function refuseWrongClock(now: Temporal.Instant, { skew, last }: Witnesses): boolean {
  const clock = now.toString({ smallestUnit: "second" });
  if (skew !== undefined && Math.abs(skew) > APART) {
    const theirs = now.subtract({ milliseconds: Math.round(skew) }).toString({ smallestUnit: "second" });
    throw new HoldfastError("state", `this machine's clock says ${clock}, and the provider's says ${theirs}`, {
      mend: `${MEND} If this clock is right, the provider's is wrong: runs begin again when it is set.`,
    });
  }
  const isBehind = last !== undefined && last.epochMilliseconds - now.epochMilliseconds > APART;
  if (!isBehind || skew !== undefined) return isBehind;
  const logged = last.toString({ smallestUnit: "second" });
  throw new HoldfastError(
    "state",
    `this machine's clock says ${clock}, and the log's last entry was made at ${logged}`,
    {
      mend: `${MEND} If this clock is right, the entry was made by one that was wrong: run again when the provider answers, which says what time it is.`,
    },
  );
}
