import type { RateAdvice } from "./rate-headers.ts";

/** Limits of one source in requests per second, derived from the configured rate. */
export interface Bounds {
  readonly ceiling: number;
  /** The rate to start with if nothing is known: a quarter of the ceiling, or 1 per second if that is more. */
  readonly start: number;
  /** Refusals never reduce the rate below this: a twentieth of the ceiling, or 1 per 10 seconds if that is more. */
  readonly floor: number;
}

/**
 * What is known about a source's limits, and what was started within them. Times are milliseconds of the machine's
 * clock, rates are requests per second.
 */
export interface LimitsState {
  /** When the clock was last read. If the clock shows less, it was set back. */
  seen: number;
  rate: number;
  /** The rate grew to this without a refusal; higher rates were refused. */
  bound: number;
  /** From then on the rate may grow beyond `bound` again. */
  probeAt: number;
  /** The last decrease: a refusal of a request that started earlier says nothing new. */
  cutAt: number;
  /** Good answers since then. */
  good: number;
  /** The time of the last start, which may be slightly before the real one: see `claim`. */
  last: number;
  silentUntil: number;
  /** A rate requested by the source's headers, until `toldUntil`. */
  told: number;
  toldUntil: number;
  /** Until when someone of each priority is assumed to wait for a start; and the last start with low priority. */
  highUntil: number;
  lowUntil: number;
  lowLast: number;
}

/** After this many seconds of good answers, the rate has grown by a full ceiling. */
const GROW = 15;
/** The same beyond `bound`, where a refusal is likely: with slow growth the rate exceeds the limit only slightly. */
const PROBE = 120;
/** The bound as a share of the refused rate. */
const BELOW = 0.93;
/** How long the rate stays below the bound before it tries more, in ms. */
const HOLD = 60_000;
/** If there was no request for this long, in ms, everything learned is forgotten. */
const FORGET = 600_000;
/** The longest silence or pause between two starts that a header can cause, in ms: then one request tries again. */
export const LONGEST = 300_000;
const LONG_AGO = -1e15;

export function boundsOf(rate: { readonly count: number; readonly per: number }): Bounds {
  const ceiling = (rate.count * 1000) / rate.per;
  return {
    ceiling,
    start: Math.max(ceiling / 4, Math.min(ceiling, 1)),
    floor: Math.max(ceiling / 20, Math.min(ceiling, 0.1)),
  };
}

export function begin({ start }: Bounds, now: number): LimitsState {
  return {
    seen: now,
    rate: start,
    bound: Number.MAX_VALUE,
    probeAt: LONG_AGO,
    cutAt: LONG_AGO,
    good: 0,
    last: LONG_AGO,
    silentUntil: LONG_AGO,
    told: Number.MAX_VALUE,
    toldUntil: LONG_AGO,
    highUntil: LONG_AGO,
    lowUntil: LONG_AGO,
    lowLast: LONG_AGO,
  };
}

/** Call this before using a state: it may be old, for another ceiling, or from a clock that was set back. */
export function bringUpToDate(state: LimitsState, bounds: Bounds, now: number): void {
  if (now - state.seen > FORGET) Object.assign(state, begin(bounds, now));
  const back = state.seen - now;
  if (back > 0) {
    for (const time of ["probeAt", "cutAt", "last", "silentUntil", "toldUntil"] as const) state[time] -= back;
    for (const time of ["highUntil", "lowUntil", "lowLast"] as const) state[time] -= back;
  }
  // The file may contain anything, but this code never writes a time further ahead.
  state.toldUntil = Math.min(state.toldUntil, now + 2 * LONGEST);
  for (const time of ["silentUntil", "probeAt"] as const) state[time] = Math.min(state[time], now + LONGEST);
  // A waiting process announces itself until its next start, and a little longer.
  for (const time of ["highUntil", "lowUntil"] as const) state[time] = Math.min(state[time], now + LONGEST + 1_000);
  for (const time of ["cutAt", "last", "lowLast"] as const) state[time] = Math.min(state[time], now);
  state.told = Math.max(state.told, 1000 / LONGEST);
  state.seen = now;
  state.rate = Math.min(Math.max(state.rate, bounds.floor), bounds.ceiling);
}

/** How many requests per second may start now. */
export function pace({ rate, told, toldUntil }: LimitsState, now: number): number {
  return now < toldUntil ? Math.min(rate, told) : rate;
}

/**
 * Additive increase, by a fixed amount per second of good answers. Only answers to requests that had to wait for their
 * start count: otherwise the rate was not fully used.
 */
export function grow(state: LimitsState, { ceiling }: Bounds, answers: number, now: number): void {
  state.good += answers;
  if (pace(state, now) < state.rate) return;
  const seconds = answers / state.rate;
  if (state.rate < state.bound) {
    // At most double: after a long pause between two starts, one answer counts for many seconds.
    const grown = state.rate + Math.min(state.rate, (seconds * ceiling) / GROW);
    state.rate = Math.min(grown, state.bound, ceiling);
  } else if (now >= state.probeAt) {
    state.rate = Math.min(state.rate + (seconds * ceiling) / PROBE, ceiling);
  }
  if (state.rate === ceiling) state.bound = Number.MAX_VALUE;
}

/**
 * Multiplicative decrease. @param begun when the refused request started. Returns false if the refusal says nothing
 * new.
 */
export function cut(state: LimitsState, { floor }: Bounds, begun: number, now: number): boolean {
  if (begun <= state.cutAt) return false;
  const refused = pace(state, now);
  // Repeated refusals without an answer in between are not caused by the rate, so the bound stays.
  if (state.good > 0 || state.bound === Number.MAX_VALUE) {
    const held = refused > state.bound ? state.bound : 0;
    state.bound = Math.max(floor, held, refused * BELOW);
  }
  state.rate = Math.max(floor, refused / 2);
  state.cutAt = now;
  state.probeAt = now + HOLD;
  state.good = 0;
  return true;
}

export function silence(state: LimitsState, ms: number, now: number): boolean {
  const longer = now + ms > state.silentUntil;
  if (longer) state.silentUntil = now + ms;
  return longer;
}

/**
 * Keeps to what the source's headers say is left, spread over the time until the reset. Subtracts the requests in
 * flight, since the source may not have counted them yet. Returns whether this causes a new silence.
 */
export function heed(state: LimitsState, { remaining, window }: RateAdvice, inFlight: number, now: number): boolean {
  const left = remaining === 0 ? 0 : Math.max(1, remaining - inFlight);
  state.told = Math.max((left * 1000) / window, 1000 / LONGEST);
  // For the silence and one start after it, whose answer says again what is left.
  state.toldUntil = now + Math.min(window, 2 * LONGEST);
  if (left > 0) return false;
  const spent = state.silentUntil <= now;
  return silence(state, Math.min(window, LONGEST), now) && spent;
}
