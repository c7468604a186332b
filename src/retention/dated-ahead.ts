import type { Entry } from "../audit/entry.ts";
import { leadsToPurge } from "../audit/resumed.ts";
import { isPurge } from "../audit/said.ts";
import { instant, isBefore } from "../core/timestamp.ts";
import type { Fault } from "./fault.ts";

/**
 * How much older than an earlier entry an entry may be: clocks are set back. If it is older, the earlier one was dated
 * ahead.
 */
const BACK = { hours: 24 };

/** Finds purges that were dated ahead to make them look due: the times of later entries show it. */
export class DatedAhead {
  readonly #onFault: (fault: Fault) => void;
  /** The purge with the latest time: later entries must not be older. */
  #last: { readonly entry: number; readonly key: string; readonly time: string; readonly until: string } | undefined;
  /** The last `journal.resumed`, and the last entry it covers. */
  #resumed: { readonly entry: number; readonly run: string; readonly time: string; readonly end: number } | undefined;

  constructor(onFault: (fault: Fault) => void) {
    this.#onFault = onFault;
  }

  /** Call this with every entry of the log, in order. */
  check(at: number, entry: Entry): void {
    if (!this.#isLoggedAgain(at, entry)) this.#checkTime(entry);
    if (entry.type === "journal.resumed")
      this.#resumed = { entry: at, run: entry.run, time: entry.time, end: at + entry.count };
  }

  /** A purge entry, by the first object it names. */
  notePurge(at: number, key: string, time: string): void {
    if (this.#last !== undefined && time <= this.#last.time) return;
    const until = instant(time).subtract(BACK).toString({ smallestUnit: "millisecond" });
    this.#last = { entry: at, key, time, until };
  }

  /**
   * Whether an entry may be older than a purge before it because a machine that came back logged it again. The entry
   * must be of the run that the marker names and must not lead to a purge; else a marker could hide a purge dated
   * ahead.
   */
  #isLoggedAgain(at: number, entry: Entry): boolean {
    if (this.#resumed === undefined || at > this.#resumed.end || entry.type === "journal.resumed") return false;
    const { entry: marker, run, time } = this.#resumed;
    const told = (what: string): false => {
      this.#onFault({ entry: at, what: `${what}, but entry ${marker} says that it was logged again` });
      this.#resumed = undefined;
      return false;
    };
    if (entry.run !== run) return told(`belongs to a run other than ${run}`);
    if (isPurge(entry)) return told(`is a ${entry.type}`);
    if (leadsToPurge(entry) && isBefore(instant(entry.time), instant(time)))
      return told(`is a ${entry.type} of ${entry.time}`);
    return true;
  }

  /** The times of later entries reveal a purge that was dated ahead. */
  #checkTime({ time }: Entry): void {
    if (this.#last === undefined || time >= this.#last.until) return;
    const { entry, key, time: ahead } = this.#last;
    this.#last = undefined;
    this.#onFault({ entry, key, what: `is dated ${ahead}, but a later entry is dated ${time}` });
  }
}
