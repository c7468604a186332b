import { createHash, type X509Certificate } from "node:crypto";
import { pMapIterable } from "p-map";
import type { Head } from "../audit/log.ts";
import { checkTimestamp } from "../audit/timestamp/check.ts";
import { MAX_TOKEN, parseToken } from "../audit/timestamp/token.ts";
import { HoldfastError, hasCode, ownError } from "../core/error.ts";
import { TIMESTAMPS, timestampKey } from "../vault/layout.ts";
import type { Vault } from "../vault/vault.ts";
import type { KeptCheckpoint } from "./history.ts";
import { checkLocked, readLogObject } from "./log-object.ts";
import type { Lockless, Problem } from "./problem.ts";

/** What the time stamps of a vault prove. */
export interface TimestampReport {
  readonly tokens: number;
  /** Whether they were checked against trusted certificates; if not, only the vault vouches for them. */
  readonly trusted: boolean;
  /** That of the largest checkpoint: the log's first `size` entries existed at this time, RFC 3339 UTC. */
  readonly newest?: { readonly size: number; readonly time: string };
}

/** How long entries may be without a time stamp: it is no problem if an authority is unavailable for a night. */
const UNSTAMPED = { hours: 7 * 24 };

/** The times of entries that no time stamp covers. */
export class StampedTimes {
  readonly report: TimestampReport;
  /** Invalid time stamps, all of them reported. */
  readonly #bad: number;
  #first: string | undefined;
  #last: string | undefined;

  constructor(report: TimestampReport, bad: number) {
    this.report = report;
    this.#bad = bad;
  }

  /** When the newest entry was logged. */
  logged: string | undefined;

  note(entry: number, time: string): void {
    this.logged = time;
    if (entry < (this.report.newest?.size ?? 0)) return;
    this.#first ??= time;
    this.#last = time;
  }

  /** The latest time at which an entry can have been written, according to a trusted authority. */
  latest(entry: number): Temporal.Instant | undefined {
    const { trusted, newest } = this.report;
    return trusted && newest && entry < newest.size ? Temporal.Instant.from(newest.time) : undefined;
  }

  /**
   * If the caller names an authority, it is a problem that no time stamp is there, or none for recent entries.
   * Otherwise an attacker could remove the time stamps, and the log would be accepted without them.
   */
  check(size: number, problem: (found: Problem) => void): void {
    const { trusted, newest } = this.report;
    if (!trusted || size === 0) return;
    if (newest === undefined) {
      if (this.#bad > 0) return;
      problem({ key: TIMESTAMPS, what: "there is no time stamp, although certificates of an authority were given" });
      return;
    }
    const [first, last] = [this.#first, this.#last].map((time) => time && Temporal.Instant.from(time));
    if (!first || !last || Temporal.Duration.compare(first.until(last), UNSTAMPED) <= 0) return;
    const what = `no time stamp covers entries ${newest.size} to ${size - 1}, logged from ${first} to ${last}`;
    problem({ key: TIMESTAMPS, what });
  }
}

export interface TimestampCheck {
  readonly vault: Vault;
  readonly head: Head;
  readonly earlier: readonly KeptCheckpoint[];
  /** Certificates that an authority's certificate must chain to. */
  readonly anchors: readonly X509Certificate[] | undefined;
  readonly now: Temporal.Instant;
  /** Reports a time stamp that is not locked. */
  readonly unlocked: (found: Lockless) => void;
}

const AT_ONCE = 8;

/** Every time stamp must be valid, for a checkpoint that the vault keeps, and locked like the log. */
export async function checkTimestamps(
  { vault, head, earlier, anchors, now, unlocked }: TimestampCheck,
  problem: (found: Problem) => void,
): Promise<StampedTimes> {
  let bad = 0;
  const doubt = (found: Problem): void => {
    bad += 1;
    problem(found);
  };
  const present = { size: head.size, sha256: createHash("sha256").update(head.note).digest("hex") };
  const kept = [...earlier, present];
  let tokens = 0;
  let newest: TimestampReport["newest"];
  const checked = pMapIterable(
    keys(vault, head.size, doubt),
    async (key) => {
      const piece = await readLogObject(vault, key, MAX_TOKEN, doubt);
      if (piece === undefined) return undefined;
      checkLocked(piece, now, unlocked);
      try {
        const { imprint, time } = parseToken(piece.bytes);
        const stamped = kept.find(({ size, sha256 }) => sha256 === imprint && timestampKey(size) === key);
        if (stamped === undefined)
          throw new HoldfastError("unverified", "is not for any checkpoint that the vault keeps");
        if (anchors) checkTimestamp(piece.bytes, { digest: imprint, anchors });
        return { size: stamped.size, time };
      } catch (error) {
        const own = ownError(error);
        if (!own || !hasCode(own, "malformed", "unverified")) throw error;
        doubt({ key, what: own.message });
        return undefined;
      }
    },
    { concurrency: AT_ONCE },
  );
  for await (const good of checked) {
    if (good === undefined) continue;
    tokens += 1;
    if (newest === undefined || good.size > newest.size) newest = good;
  }
  return new StampedTimes({ tokens, trusted: anchors !== undefined, ...(newest && { newest }) }, bad);
}

/** Those of checkpoints up to the head; a larger one belongs to a running job. */
async function* keys(vault: Vault, most: number, problem: (found: Problem) => void): AsyncGenerator<string> {
  let present = "";
  for await (const { key, deleteMarker } of vault.versions(TIMESTAMPS)) {
    if (key === present) continue;
    present = key;
    const size = /^(\d+)\.tsr$/.exec(key.slice(TIMESTAMPS.length))?.[1];
    if (deleteMarker) problem({ key, what: "was hidden by a delete marker" });
    else if (size === undefined) problem({ key, what: "is not a time stamp" });
    else if (Number(size) <= most) yield key;
  }
}
