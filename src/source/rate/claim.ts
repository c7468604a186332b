import { type LimitsState, LONGEST, pace } from "./aimd.ts";

/**
 * While `high` (the nightly export) wants to start requests, `low` (a backfill) gets only the rest, and a small share.
 */
export type Priority = "high" | "low";

/** Why nothing may start yet. */
export interface Wait {
  readonly ms: number;
  /** The source requested it. */
  readonly silent: boolean;
}

export interface Claimant {
  readonly priority: Priority;
  /** Since when it is ready to start. */
  readonly since: number;
  /** How late a start may be without delaying the next one: `lateOf`. */
  readonly late: number;
}

/** `low` gets one start in this many, so that a backfill makes progress beside an export that never ends. */
const SHARE = 20;
/** A claimant that announced itself but does not come within this time, in ms, is busy or dead: others continue. */
const GRACE = 100;
/**
 * Starts are this much further apart than the rate says. A provider counts requests as they arrive, which some do a little
 * sooner after they began than others: without room, every other window would have one too many at the limit itself.
 */
export const SPREAD = 1.01;
/**
 * Timers are late, and when the pace rises, the start that a claimant waits for moves into the past. To keep the rate, a
 * start may be this much late, in ms, without delaying the next one: at most half of the room that `SPREAD` leaves in
 * the time that the rate is for, but always enough for a timer.
 */
export const lateOf = (per: number): number => Math.max(25, ((SPREAD - 1) * per) / 2);
/** Rounding errors of sums are smaller than this, in ms. */
const ROUNDING = 1e-3;

/**
 * Takes the next start, or returns how long to wait before trying again. Nothing is reserved: a claimant that dies
 * while it waits leaves only its announcement, which counts until `GRACE` after its start.
 *
 * Starts are `SPREAD/pace` apart: a period `t` never has more than `(t + late) × rate / SPREAD + 1` of them. If no timer
 * is late and the pace does not rise during a wait, a half-open period `t` has at most `t × rate`.
 */
export function claim(state: LimitsState, { priority, since, late }: Claimant, now: number): Wait | undefined {
  const due = Math.max(nextStart(state, now), state.silentUntil);
  const gap = 1000 / pace(state, now);
  let ms = due - now;
  if (ms <= ROUNDING) {
    const owner = ownerOf(state, gap, now);
    if (owner === undefined || owner === priority) {
      take(state, priority, Math.max(due, Math.min(now, Math.max(since, now - late))));
      return undefined;
    }
    const believed = owner === "high" ? state.highUntil : state.lowUntil;
    ms = Math.min(gap, believed - now);
  }
  state[priority === "high" ? "highUntil" : "lowUntil"] = now + ms + GRACE;
  return { ms, silent: state.silentUntil > now };
}

/** A pace from headers ends with its window, even between two starts. */
function nextStart(state: LimitsState, now: number): number {
  const next = state.last + (SPREAD * 1000) / state.rate;
  if (now >= state.toldUntil || state.told >= state.rate) return next;
  const gap = Math.min((SPREAD * 1000) / state.told, LONGEST);
  return Math.max(next, Math.min(state.last + gap, state.toldUntil));
}

/** Whose turn it is; undefined: anyone's. */
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
