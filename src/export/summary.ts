import type { RunOutcome } from "../audit/entry.ts";

/** What one run did for one client. */
export interface Summary {
  readonly client: string;
  readonly run: string;
  readonly outcome: RunOutcome;
  /** Identities the source listed, or that were named. */
  readonly examined: number;
  readonly new: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Identities of which the law asks for no copy any more: purged, or older than it asks. */
  readonly past: number;
  /** Stored again though nothing changed, because it was asked for. */
  readonly again: number;
  /** Identities the provider has no more; their copies stay. */
  readonly gone: number;
  readonly failed: number;
  /** Files stored, and files the provider withheld. */
  readonly files: number;
  readonly withheld: number;
  /** Sealed bytes stored. */
  readonly bytes: number;
  /** Requests to the source, retries included. */
  readonly requests: number;
  /** Attempts at source or vault that had to be made again. */
  readonly retries: number;
  readonly seconds: number;
}

export type Tally = {
  -readonly [K in Exclude<keyof Summary, "client" | "run" | "outcome" | "requests" | "retries" | "seconds">]: number;
};

export function emptyTally(): Tally {
  return {
    examined: 0,
    new: 0,
    changed: 0,
    unchanged: 0,
    past: 0,
    again: 0,
    gone: 0,
    failed: 0,
    files: 0,
    withheld: 0,
    bytes: 0,
  };
}

/** Of two runs, one after the other, that were one piece of work; named and ended as the later one. */
export function addSummaries(first: Summary, then: Summary): Summary {
  const tally = Object.fromEntries(
    (Object.keys(emptyTally()) as (keyof Tally)[]).map((name) => [name, first[name] + then[name]]),
  ) as Tally;
  const { requests, retries, seconds } = first;
  return {
    ...then,
    ...tally,
    requests: requests + then.requests,
    retries: retries + then.retries,
    seconds: seconds + then.seconds,
  };
}
