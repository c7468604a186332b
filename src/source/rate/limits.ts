import type { Rate } from "../../config/rate.ts";
import type { Clock } from "../../core/clock.ts";
import { HoldfastError } from "../../core/error.ts";
import * as aimd from "./aimd.ts";
import { claim, lateOf, type Priority, type Wait } from "./claim.ts";
import type { RateAdvice } from "./rate-headers.ts";

/** What people see of the limits: `limitsText`. */
export interface LimitsView {
  /** Requests per second: now, and the maximum. */
  readonly rate: number;
  readonly ceiling: number;
  /** The unit of the configured ceiling, in ms. */
  readonly per: number;
  /** Silences that the source requested so far, and how much of the last one is left, in ms. */
  readonly silences: number;
  readonly silent: number;
  /** Requests refused so far because of their rate. */
  readonly refusals: number;
  /** Requests sent this month by all processes, and how many there may be. Undefined without a budget, or before the first. */
  readonly budget?: { readonly used: number; readonly of: number } | undefined;
}

/**
 * Keeps a state. `change` passes it to `work`, which changes it without interference from others. `work` may run twice,
 * with the first result discarded.
 */
export interface LimitsStore {
  change<T>(fresh: () => aimd.LimitsState, work: (state: aimd.LimitsState) => T): T;
  /** Counts a request of the month, and returns how many there are now; undefined if that would be more than `most`. */
  spend(month: string, most: number): number | undefined;
  close(): void;
}

/** The state of a single process. */
export class OwnLimits implements LimitsStore {
  #state: aimd.LimitsState | undefined;
  #month = "";
  #spent = 0;

  change<T>(fresh: () => aimd.LimitsState, work: (state: aimd.LimitsState) => T): T {
    this.#state ??= fresh();
    return work(this.#state);
  }

  spend(month: string, most: number): number | undefined {
    if (month !== this.#month) this.adoptSpent(month, 0);
    if (this.#spent >= most) return undefined;
    this.#spent += 1;
    return this.#spent;
  }

  /** Continues from a shared state. */
  adopt(state: aimd.LimitsState): void {
    this.#state = { ...state };
  }

  adoptSpent(month: string, spent: number): void {
    this.#month = month;
    this.#spent = spent;
  }

  close(): void {}
}

export interface LimitsOptions {
  /** Default: this process's own. */
  readonly store?: LimitsStore | undefined;
  /** Default `high`. */
  readonly priority?: Priority | undefined;
  /** Most requests in a calendar month (UTC), of all that share the store. Default: any number. */
  readonly budget?: number | undefined;
  /** Milliseconds; the same clock for all that share a store. */
  readonly now?: (() => number) | undefined;
  /** Says which month it is. Default: `now` does. */
  readonly clock?: Clock | undefined;
}

/**
 * How long, in ms, a source's headers may delay one run in total. After that the run keeps to its own rate, and a
 * request refused with a Retry-After fails: a provider must not block a run, and with it the vault, for days.
 */
const PATIENCE = 3_600_000;

/** The limits of one source, for one process: asked before each start, and informed of each answer. */
export class Limits {
  readonly #bounds: aimd.Bounds;
  readonly #per: number;
  readonly #late: number;
  readonly #store: LimitsStore;
  readonly #priority: Priority;
  readonly #budget: number | undefined;
  #used: number | undefined;
  readonly #now: () => number;
  readonly #clock: Clock;
  /** Good answers not yet in the state; the next claim adds them, so that an answer costs nothing. */
  #good = 0;
  #silences = 0;
  #refusals = 0;
  /** As last read. */
  #rate: number;
  #silentUntil = 0;
  /** How long headers have delayed this process so far, and since when they do now. */
  #heldUp = 0;
  #heldUpSince: number | undefined;
  #why: string | undefined;

  constructor(rate: Rate, options: LimitsOptions = {}) {
    const { store = new OwnLimits(), priority = "high", budget, now = Date.now } = options;
    this.#bounds = aimd.boundsOf(rate);
    this.#per = rate.per;
    this.#late = lateOf(rate.per);
    this.#rate = this.#bounds.start;
    this.#store = store;
    this.#priority = priority;
    this.#budget = budget;
    this.#now = now;
    this.#clock = options.clock ?? (() => Temporal.Instant.fromEpochMilliseconds(now()));
  }

  now(): number {
    return this.#now();
  }

  /** Takes a start, or returns how long to wait. @param since when the request became ready */
  claim(since: number): Wait | undefined {
    return this.#change((state, now) => claim(state, { priority: this.#priority, since, late: this.#late }, now));
  }

  /** Counts a request. Throws source-budget if the month's number is used up: then no request may start. */
  spend(): void {
    if (this.#budget === undefined) return;
    const month = this.#clock().toZonedDateTimeISO("UTC").toPlainDate().toPlainYearMonth();
    const used = this.#store.spend(month.toString(), this.#budget);
    this.#used = used ?? this.#budget;
    if (used !== undefined) return;
    throw new HoldfastError("source-budget", `the ${this.#budget} requests to the source for ${month} are used up`, {
      hint: `They renew on ${month.add({ months: 1 })}-01 at 00:00 UTC; until then no run can ask the provider. Everything exported so far is kept. If the contract allows more, raise the source's budget.`,
    });
  }

  /** Call this when a request that had to wait for its start was answered. */
  good(): void {
    this.#good += 1;
  }

  /** Call this when a request was refused because of its rate. @param begun when it was started */
  refused(begun: number): void {
    this.#refusals += 1;
    this.#change((state, now) => aimd.cut(state, this.#bounds, begun, now));
  }

  /** Whether the silence is kept: a source that has delayed this run for too long is ignored. */
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

  /** What caused the current wait. */
  get why(): string {
    return this.#why ?? "an earlier answer, to this or another process";
  }

  #isOutOfPatience(): boolean {
    const now = this.#now();
    if (this.#heldUpSince !== undefined) {
      // The clock may jump, and headers may stop: each of them delays by no more than this.
      this.#heldUp += Math.min(Math.max(0, now - this.#heldUpSince), aimd.LONGEST);
    }
    this.#heldUpSince = undefined;
    return this.#heldUp >= PATIENCE;
  }

  /** Headers are the cause if the rate is slower than a run ever gets by itself. */
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
      ...(this.#budget === undefined || this.#used === undefined
        ? {}
        : { budget: { used: this.#used, of: this.#budget } }),
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
        // Read the clock only while the state is locked; otherwise what others wrote would seem to be in the future.
        const now = this.#now();
        aimd.bringUpToDate(state, this.#bounds, now);
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

/** `8.5 of 10 requests/s`, `300 of 600 requests/min, 2 refusals`. */
export function limitsText({ rate, ceiling, per, refusals, silent, budget }: LimitsView): string {
  const unit = per === 1_000 ? "s" : per === 60_000 ? "min" : "h";
  const show = (value: number) => `${Number(((value * per) / 1000).toPrecision(2 + Number(value >= ceiling)))}`;
  const notes = [
    ...(refusals > 0 ? [`${refusals} refusal${refusals === 1 ? "" : "s"}`] : []),
    ...(silent > 0 ? [`silent for ${Math.ceil(silent / 1000)} s`] : []),
    ...(budget ? [budgetText(budget)] : []),
  ];
  return [`${show(rate)} of ${show(ceiling)} requests/${unit}`, ...notes].join(", ");
}

/** `340 of 10,000 this month` */
export function budgetText({ used, of }: NonNullable<LimitsView["budget"]>): string {
  return `${used.toLocaleString("en")} of ${of.toLocaleString("en")} this month`;
}
