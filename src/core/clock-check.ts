import { HoldfastError } from "./error.ts";

/** Clocks that differ by more are wrong, in ms: as S3 has it, and far beyond what a network explains. */
export const APART = 15 * 60_000;

/** A log that says nothing for so long is no witness of the present day, in hours. */
const SILENT = 35 * 24;

/**
 * Throws `state` where no one but this machine's clock says what day it is: a clock that is ahead would have destroyed
 * what must be kept. A person who names the day (UTC) is believed.
 */
export function refuseLoneClock(now: Temporal.Instant, { skew, last }: Witnesses, today: string | undefined): void {
  const day = now.toZonedDateTimeISO("UTC").toPlainDate();
  if (today !== undefined && today !== day.toString()) {
    throw new HoldfastError("usage", `--today says ${today}, and this machine's clock says ${day} (UTC)`, {
      hint: HINT,
    });
  }
  const isRecent = last !== undefined && now.since(last).total("hours") <= SILENT;
  if (skew !== undefined || isRecent || today) return;
  throw new HoldfastError("state", `no one but this machine's clock says that today is ${day}`, {
    hint: `The provider does not answer, and the log's last entry is older than 35 days. Look at a calendar; if the day is right, add --today ${day}. Nothing was removed.`,
  });
}

/** What is known of the time beside this machine's clock. */
export interface Witnesses {
  /** How far the clock is ahead of the provider's, in ms; undefined where that does not say. */
  readonly skew: number | undefined;
  /** When the log's last entry was made. */
  readonly last: Temporal.Instant | undefined;
}

const HINT = "Set this machine's clock, and keep it set (NTP). Nothing was written.";

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
      hint: `${HINT} If this clock is right, the provider's is wrong: runs begin again when it is set.`,
    });
  }
  const isBehind = last !== undefined && last.epochMilliseconds - now.epochMilliseconds > APART;
  if (!isBehind || skew !== undefined) return isBehind;
  const logged = last.toString({ smallestUnit: "second" });
  throw new HoldfastError(
    "state",
    `this machine's clock says ${clock}, and the log's last entry was made at ${logged}`,
    {
      hint: `${HINT} If this clock is right, the entry was made by one that was wrong: run again when the provider answers, which says what time it is.`,
    },
  );
}
