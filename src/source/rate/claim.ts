import { type LimitsState, pace } from "./aimd.ts";

/** While `high` (the nightly export) wants to start requests, `low` (a backfill) gets what it leaves, and its share. */
export type Priority = "high" | "low";

/** Why nothing may start yet. */
export interface Wait {
  readonly ms: number;
  /** The source asked for it. */
  readonly silent: boolean;
}

export interface Claimant {
  readonly priority: Priority;
  /** Since when it has been ready to start. */
  readonly since: number;
}

/** One start in so many is `low`'s, whoever else waits: a backfill beside an export that never ends still gets on. */
const SHARE = 20;
/** Who said it waits and does not come for its start within this, in ms, is busy or dead: the others go on. */
const GRACE = 100;
/**
 * Timers are late by some ms, and a pace that rises puts a start that is waited for into the past. By so much, in ms, a
 * late start may be made up for, so that the rate is kept.
 */
export const LATE = 25;
/** Sums of fractions are off by less, in ms. */
const ROUNDING = 1e-3;

/**
 * Takes the next start, or says how long to wait before trying again. Nothing is reserved for the future: a claimant
 * that dies in the wait leaves only the word that it waits, which is believed for `GRACE` beyond its start.
 *
 * Starts lie `1/pace` apart: no time `t` holds more than `(t + LATE) × rate + 1` of them. Where no timer is late and the
 * pace does not rise while a start is waited for, no half-open `t` holds more than `t × rate`.
 */
export function claim(state: LimitsState, { priority, since }: Claimant, now: number): Wait | undefined {
  const due = Math.max(nextStart(state, now), state.silentUntil);
  const gap = 1000 / pace(state, now);
  let ms = due - now;
  if (ms <= ROUNDING) {
    const owner = ownerOf(state, gap, now);
    if (owner === undefined || owner === priority) {
      take(state, priority, Math.max(due, Math.min(now, Math.max(since, now - LATE))));
      return undefined;
    }
    const believed = owner === "high" ? state.highUntil : state.lowUntil;
    ms = Math.min(gap, believed - now);
  }
  state[priority === "high" ? "highUntil" : "lowUntil"] = now + ms + GRACE;
  return { ms, silent: state.silentUntil > now };
}

/** A pace that headers asked for ends with its window, even between two starts. */
function nextStart(state: LimitsState, now: number): number {
  const next = state.last + 1000 / state.rate;
  if (now >= state.toldUntil || state.told >= state.rate) return next;
  return Math.min(state.last + 1000 / state.told, Math.max(next, state.toldUntil));
}

/** Whose start it is; undefined: whoever comes. */
function ownerOf({ highUntil, lowUntil, lowLast }: LimitsState, gap: number, now: number): Priority | undefined {
  if (lowUntil > now && lowLast + SHARE * gap <= now) return "low";
  return highUntil > now ? "high" : undefined;
}

function take(state: LimitsState, priority: Priority, at: number): void {
  state.last = at;
  if (priority === "high") state.highUntil = at;
  else {
    state.lowUntil = at;
    state.lowLast = at;
  }
}
