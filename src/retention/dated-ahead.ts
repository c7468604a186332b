import type { Entry } from "../audit/entry.ts";
import { leadsToPurge } from "../audit/resumed.ts";
import { isPurge } from "../audit/said.ts";
import type { Fault } from "./fault.ts";
import { instant, isBefore } from "./instants.ts";

/** An entry may be so much older than one before it: clocks are set back. Beyond it the earlier one was dated ahead. */
const BACK = { hours: 24 };

/** Finds purges that were dated ahead, so that they should be due: the times of later entries give them away. */
export class DatedAhead {
  readonly #onFault: (fault: Fault) => void;
  /** The purge with the latest time: what comes after it may not be older. */
  #last: { readonly entry: number; readonly key: string; readonly time: string; readonly until: string } | undefined;
  /** The last `journal.resumed`, and the last entry that it speaks of. */
  #resumed: { readonly entry: number; readonly run: string; readonly time: string; readonly end: number } | undefined;

  constructor(onFault: (fault: Fault) => void) {
    this.#onFault = onFault;
  }

  /** Every entry of the log, in its order. */
  check(at: number, entry: Entry): void {
    if (!this.#isLoggedAgain(at, entry)) this.#checkTime(entry);
    if (entry.type === "journal.resumed")
      this.#resumed = { entry: at, run: entry.run, time: entry.time, end: at + entry.count };
  }

  /** An entry of a purge, by the first object that it names. */
  notePurge(at: number, key: string, time: string): void {
    if (this.#last !== undefined && time <= this.#last.time) return;
    const until = instant(time).subtract(BACK).toString({ smallestUnit: "millisecond" });
    this.#last = { entry: at, key, time, until };
  }

  /**
   * Whether an entry may be older than a purge before it: a machine that came back logged it again. Only where it is of
   * the run that the marker names, and leads to no purge; else a marker could hide that a purge was dated ahead.
   */
  #isLoggedAgain(at: number, entry: Entry): boolean {
    if (this.#resumed === undefined || at > this.#resumed.end || entry.type === "journal.resumed") return false;
    const { entry: marker, run, time } = this.#resumed;
    const told = (what: string): false => {
      this.#onFault({ entry: at, what: `${what}, and entry ${marker} says that it is logged again` });
      this.#resumed = undefined;
      return false;
    };
    if (entry.run !== run) return told(`is of another run than ${run}`);
    if (isPurge(entry)) return told(`is a ${entry.type}`);
    if (leadsToPurge(entry) && isBefore(instant(entry.time), instant(time)))
      return told(`is a ${entry.type} of ${entry.time}`);
    return true;
  }

  /** A purge that was dated ahead, so that it should be due, is given away by what was logged after it. */
  #checkTime({ time }: Entry): void {
    if (this.#last === undefined || time >= this.#last.until) return;
    const { entry, key, time: ahead } = this.#last;
    this.#last = undefined;
    this.#onFault({ entry, key, what: `is dated ${ahead}, and a later entry ${time}` });
  }
}
