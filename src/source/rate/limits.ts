import type { Rate } from "../../config/rate.ts";
import * as aimd from "./aimd.ts";
import { claim, type Priority, type Wait } from "./claim.ts";
import type { RateAdvice } from "./rate-headers.ts";

/** What people are shown of it: `limitsText`. */
export interface LimitsView {
  /** Requests a second, now and at most. */
  readonly rate: number;
  readonly ceiling: number;
  /** The unit the ceiling was configured in, in ms. */
  readonly per: number;
  /** Silences the source asked for so far, and how much of the last one is left, in ms. */
  readonly silences: number;
  readonly silent: number;
  /** Answers so far that refused a request for its rate. */
  readonly refusals: number;
}

/**
 * Where a state is kept. `change` gives it to `work`, which alters it; no one else comes between. `work` may run twice,
 * the first time in vain.
 */
export interface LimitsStore {
  change<T>(fresh: () => aimd.LimitsState, work: (state: aimd.LimitsState) => T): T;
  close(): void;
}

/** A state of one process alone. */
export class OwnLimits implements LimitsStore {
  #state: aimd.LimitsState | undefined;

  change<T>(fresh: () => aimd.LimitsState, work: (state: aimd.LimitsState) => T): T {
    this.#state ??= fresh();
    return work(this.#state);
  }

  /** Goes on from what others knew. */
  adopt(state: aimd.LimitsState): void {
    this.#state = { ...state };
  }

  close(): void {}
}

export interface LimitsOptions {
  /** Default: this process's own. */
  readonly store?: LimitsStore | undefined;
  /** Default `high`. */
  readonly priority?: Priority | undefined;
  /** Milliseconds; the same clock for all who share a store. */
  readonly now?: (() => number) | undefined;
}

/**
 * For so long, in ms, a source's headers may hold up one run in all. From then on the run keeps to its own rate, and a
 * request that is refused with a Retry-After fails: a provider must not keep a run, and the vault with it, for days.
 */
const PATIENCE = 3_600_000;

/** The limits of one source as one process sees them: asked before each start, told of each answer. */
export class Limits {
  readonly #bounds: aimd.Bounds;
  readonly #per: number;
  readonly #store: LimitsStore;
  readonly #priority: Priority;
  readonly #now: () => number;
  /** Good answers that the state has not been told of; the next claim tells, so that an answer costs nothing. */
  #good = 0;
  #silences = 0;
  #refusals = 0;
  /** As last seen. */
  #rate: number;
  #silentUntil = 0;
  /** How long headers have held this process up so far, and since when they do now. */
  #heldUp = 0;
  #heldUpSince: number | undefined;
  #why: string | undefined;

  constructor(rate: Rate, { store = new OwnLimits(), priority = "high", now = Date.now }: LimitsOptions = {}) {
    this.#bounds = aimd.boundsOf(rate);
    this.#per = rate.per;
    this.#rate = this.#bounds.start;
    this.#store = store;
    this.#priority = priority;
    this.#now = now;
  }

  now(): number {
    return this.#now();
  }

  /** Takes a start, or says how long to wait. @param since when the request became ready */
  claim(since: number): Wait | undefined {
    return this.#change((state, now) => claim(state, { priority: this.#priority, since }, now));
  }

  /** A request that had to wait for its start was answered. */
  good(): void {
    this.#good += 1;
  }

  /** A request was refused for its rate. @param begun when it was started */
  refused(begun: number): void {
    this.#refusals += 1;
    this.#change((state, now) => aimd.cut(state, this.#bounds, begun, now));
  }

  /** Whether it is kept. A source that has held up this run for long is not obeyed any more. */
  silence(ms: number): boolean {
    if (this.#isOutOfPatience()) return false;
    if (this.#change((state, now) => aimd.silence(state, ms, now))) this.#silences += 1;
    this.#holdsUp("a Retry-After header");
    return true;
  }

  heed(advice: RateAdvice, inFlight: number): void {
    if (this.#isOutOfPatience()) return;
    if (this.#change((state, now) => aimd.heed(state, advice, inFlight, now))) this.#silences += 1;
    this.#holdsUp("rate-limit headers");
  }

  /** Who asked for the wait at hand. */
  get why(): string {
    return this.#why ?? "an earlier answer, to this or another process";
  }

  #isOutOfPatience(): boolean {
    const now = this.#now();
    if (this.#heldUpSince !== undefined) {
      // A clock may jump, and headers may stop: what one of them brings about is no longer than this.
      this.#heldUp += Math.min(Math.max(0, now - this.#heldUpSince), aimd.LONGEST);
    }
    this.#heldUpSince = undefined;
    return this.#heldUp >= PATIENCE;
  }

  /** What is slower than a run ever goes by itself is the headers' doing. */
  #holdsUp(why: string): void {
    const now = this.#now();
    if (this.#silentUntil <= now && this.#rate >= this.#bounds.floor) return;
    this.#heldUpSince = now;
    this.#why = why;
  }

  get view(): LimitsView {
    return {
      rate: this.#rate,
      ceiling: this.#bounds.ceiling,
      per: this.#per,
      silences: this.#silences,
      refusals: this.#refusals,
      silent: Math.max(0, this.#silentUntil - this.#now()),
    };
  }

  close(): void {
    this.#store.close();
  }

  #change<T>(work: (state: aimd.LimitsState, now: number) => T): T {
    const good = this.#good;
    const result = this.#store.change(
      () => aimd.begin(this.#bounds, this.#now()),
      (state) => {
        // The clock is read when no one else can come between, or what they wrote would seem to be of the future.
        const now = this.#now();
        aimd.settle(state, this.#bounds, now);
        if (good > 0) aimd.grow(state, this.#bounds, good, now);
        const done = work(state, now);
        this.#rate = aimd.pace(state, now);
        this.#silentUntil = state.silentUntil;
        return done;
      },
    );
    this.#good -= good;
    return result;
  }
}

/** `8.5/s of 10/s`, `300/min of 600/min, 2 refusals`. */
export function limitsText({ rate, ceiling, per, refusals, silent }: LimitsView): string {
  const unit = per === 1_000 ? "s" : per === 60_000 ? "min" : "h";
  const show = (value: number) => `${Number(((value * per) / 1000).toPrecision(2 + Number(value >= ceiling)))}/${unit}`;
  const notes = [
    ...(refusals > 0 ? [`${refusals} refusal${refusals === 1 ? "" : "s"}`] : []),
    ...(silent > 0 ? [`silent for ${Math.ceil(silent / 1000)} s`] : []),
  ];
  return [`${show(rate)} of ${show(ceiling)}`, ...notes].join(", ");
}
