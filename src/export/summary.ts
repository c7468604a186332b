import type { RunOutcome } from "../audit/entry.ts";

/** What one run did for one client. */
export interface Summary {
  readonly client: string;
  readonly run: string;
  readonly outcome: RunOutcome;
  /** The source's name in the config. */
  readonly source: string;
  /** Identities that the source listed or named as changed, that were due to be asked about, or that the command line named. */
  readonly examined: number;
  /** Identities that were asked about because the list differs from what is kept. */
  readonly askedByList: number;
  /** … because a webhook named them. */
  readonly askedByInbox: number;
  /** … because the source named a change. */
  readonly askedByChanges: number;
  /** … because the provider was still working on them. */
  readonly askedWhileOpen: number;
  /** … because their last attempt failed. */
  readonly askedAfterFailure: number;
  /** … because it was their turn in the slow round over everyone. */
  readonly askedInTurn: number;
  /** … because the command line named them. */
  readonly askedByName: number;
  /** … because a list of ids, given to `backfill --ids`, has them. */
  readonly askedByIds: number;
  readonly new: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Identities past their retention date: purged, or too old to keep. */
  readonly past: number;
  /** Stored again on request, although nothing changed. */
  readonly again: number;
  /** Identities that the provider no longer has. The copies stay. */
  readonly gone: number;
  /** Ids or references of a given list of which neither the provider nor the vault has anyone. */
  readonly notFound: number;
  /** Identities that a webhook named so lately that the provider's API may not have them yet: the next run asks again. */
  readonly early: number;
  readonly failed: number;
  /** Drops of a folder that are not taken yet: they may still be written. */
  readonly waiting: number;
  /** Of these, how many began more than three days ago. */
  readonly stalled: number;
  /** Files stored, and files the provider withheld. */
  readonly files: number;
  readonly withheld: number;
  /** People with a withheld file. */
  readonly lacking: number;
  /** Stored records that lack what the key may not read, files aside. */
  readonly incomplete: number;
  /** Sealed bytes stored. */
  readonly bytes: number;
  /** Requests to the source, retries included. */
  readonly requests: number;
  /** Retried requests to source and vault. */
  readonly retries: number;
  readonly seconds: number;
  /** The webhooks' inbox could not be read, so no one whom it names was asked about for that reason. */
  readonly inboxUnread?: true | undefined;
  /** Requests of this month so far, by all runs, and the source's budget. Undefined without one. */
  readonly budget?: { readonly used: number; readonly of: number } | undefined;
}

export type Tally = {
  -readonly [K in Exclude<
    keyof Summary,
    "client" | "source" | "run" | "outcome" | "requests" | "retries" | "seconds" | "inboxUnread" | "budget"
  >]: number;
};

/** Why a run asks the source about someone, and where that is counted. */
export const ASKED = {
  inbox: "askedByInbox",
  list: "askedByList",
  changes: "askedByChanges",
  open: "askedWhileOpen",
  failure: "askedAfterFailure",
  turn: "askedInTurn",
  name: "askedByName",
  ids: "askedByIds",
} as const satisfies Readonly<Record<string, keyof Tally>>;
export type Way = keyof typeof ASKED;

export function emptyTally(): Tally {
  return {
    examined: 0,
    askedByList: 0,
    askedByInbox: 0,
    askedByChanges: 0,
    askedWhileOpen: 0,
    askedAfterFailure: 0,
    askedInTurn: 0,
    askedByName: 0,
    askedByIds: 0,
    new: 0,
    changed: 0,
    unchanged: 0,
    past: 0,
    again: 0,
    gone: 0,
    notFound: 0,
    early: 0,
    failed: 0,
    waiting: 0,
    stalled: 0,
    files: 0,
    withheld: 0,
    lacking: 0,
    incomplete: 0,
    bytes: 0,
  };
}

/** The sum of two consecutive runs that were one piece of work, with the id and outcome of the later one. */
export function addSummaries(first: Summary, then: Summary): Summary {
  const tally = Object.fromEntries(
    (Object.keys(emptyTally()) as (keyof Tally)[]).map((name) => [name, first[name] + then[name]]),
  ) as Tally;
  const { requests, retries, seconds } = first;
  return {
    ...then,
    ...tally,
    // Both saw the same.
    waiting: then.waiting,
    stalled: then.stalled,
    requests: requests + then.requests,
    retries: retries + then.retries,
    seconds: seconds + then.seconds,
  };
}
