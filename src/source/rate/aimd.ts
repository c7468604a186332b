import type { RateAdvice } from "./rate-headers.ts";

/** Limits of one source in requests a second, from the rate its user configured. */
export interface Bounds {
  readonly ceiling: number;
  /** Where a rate begins of which nothing is known: a quarter of the ceiling, or one a second if that is more. */
  readonly start: number;
  /** No refusal brings the rate lower: a twentieth of the ceiling, or one in ten seconds if that is more. */
  readonly floor: number;
}

/**
 * What is known of a source's limits, and what was started within them. Times are milliseconds of the machine's clock,
 * rates are requests a second.
 */
export interface LimitsState {
  /** The last look at the clock. One that is behind it was set back. */
  seen: number;
  rate: number;
  /** The rate grew to this and was not refused; beyond it lies what was. */
  bound: number;
  /** From then on the rate tries again what lies beyond `bound`. */
  probeAt: number;
  /** The last decrease: what started before it and is refused after it says nothing new. */
  cutAt: number;
  /** Good answers since. */
  good: number;
  /** Of the last start, which may lie a little before it: see `claim`. */
  last: number;
  silentUntil: number;
  /** A pace that the source's headers asked for, until then. */
  told: number;
  toldUntil: number;
  /** Who waits for a start, by priority, until when that is believed; and the last start of the low one. */
  highUntil: number;
  lowUntil: number;
  lowLast: number;
}

/** Seconds of good answers in which the rate grows by a whole ceiling. */
const GROW = 15;
/** The same beyond `bound`, where the next refusal is near: a slow approach passes the limit by little. */
const PROBE = 120;
/** From a rate that was refused to the bound. */
const BELOW = 0.93;
/** How long a bound is kept to before what lies beyond is tried again, in ms. */
const HOLD = 60_000;
/** What was learned is forgotten if no one asked for so long, in ms. */
const FORGET = 600_000;
/** No header keeps everyone silent, or two starts apart, for longer, in ms: then one request asks again. */
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

/** To be done before anything else with a state: it may be an old one, of another ceiling, or of a clock set back. */
export function settle(state: LimitsState, bounds: Bounds, now: number): void {
  if (now - state.seen > FORGET) Object.assign(state, begin(bounds, now));
  const back = state.seen - now;
  if (back > 0) {
    for (const time of ["probeAt", "cutAt", "last", "silentUntil", "toldUntil"] as const) state[time] -= back;
    for (const time of ["highUntil", "lowUntil", "lowLast"] as const) state[time] -= back;
  }
  // A file may say anything; nothing that this law writes lies further ahead.
  state.toldUntil = Math.min(state.toldUntil, now + 2 * LONGEST);
  for (const time of ["silentUntil", "probeAt"] as const) state[time] = Math.min(state[time], now + LONGEST);
  // Whoever waits says so for as long as its next start is away, and a little more.
  for (const time of ["highUntil", "lowUntil"] as const) state[time] = Math.min(state[time], now + LONGEST + 1_000);
  for (const time of ["cutAt", "last", "lowLast"] as const) state[time] = Math.min(state[time], now);
  state.told = Math.max(state.told, 1000 / LONGEST);
  state.seen = now;
  state.rate = Math.min(Math.max(state.rate, bounds.floor), bounds.ceiling);
}

/** Requests a second that may start now. */
export function pace({ rate, told, toldUntil }: LimitsState, now: number): number {
  return now < toldUntil ? Math.min(rate, told) : rate;
}

/**
 * Additive increase: so much for each second's worth of good answers. Only answers to requests that had to wait for
 * their start count: a rate that is not used up has not been tried.
 */
export function grow(state: LimitsState, { ceiling }: Bounds, answers: number, now: number): void {
  state.good += answers;
  if (pace(state, now) < state.rate) return;
  const seconds = answers / state.rate;
  if (state.rate < state.bound) {
    // Never to more than the double: after a long pause between two starts one answer stands for many seconds.
    const grown = state.rate + Math.min(state.rate, (seconds * ceiling) / GROW);
    state.rate = Math.min(grown, state.bound, ceiling);
  } else if (now >= state.probeAt) {
    state.rate = Math.min(state.rate + (seconds * ceiling) / PROBE, ceiling);
  }
  if (state.rate === ceiling) state.bound = Number.MAX_VALUE;
}

/** Multiplicative decrease. @param begun when the refused request was started; false if it says nothing new */
export function cut(state: LimitsState, { floor }: Bounds, begun: number, now: number): boolean {
  if (begun <= state.cutAt) return false;
  const refused = pace(state, now);
  // Refused again and again without an answer between, it is not the rate that is refused: the bound stays.
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
 * Keeps to what the source's headers say is left, spread over the time until more is given. Those in flight are taken
 * from it: no one knows which of them the source has counted. Returns whether that means a new silence.
 */
export function heed(state: LimitsState, { remaining, window }: RateAdvice, inFlight: number, now: number): boolean {
  const left = remaining === 0 ? 0 : Math.max(1, remaining - inFlight);
  state.told = Math.max((left * 1000) / window, 1000 / LONGEST);
  // The silence, and one start after it: its answer says again what is left.
  state.toldUntil = now + Math.min(window, 2 * LONGEST);
  if (left > 0) return false;
  const spent = state.silentUntil <= now;
  return silence(state, Math.min(window, LONGEST), now) && spent;
}
