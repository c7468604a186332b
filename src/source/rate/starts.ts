import { HoldfastError } from "../../core/error.ts";
import type { Wait } from "./claim.ts";
import type { Limits, LimitsView } from "./limits.ts";
import { type Headers, rateAdvice } from "./rate-headers.ts";

/** The head of an answer: limits are only learned from this. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
}

/** Call this with the answer to a request, as soon as status and headers have arrived. */
export type Answered = (answer: AnswerHead) => void;

/** A granted start. */
export interface Start {
  /** When. */
  readonly at: number;
  /** Whether the request had to wait for it: only then does the answer say anything about the rate. */
  readonly waited: boolean;
}

/** Grants the starts of requests to one source, and learns from the answers how many it can handle. */
export interface Starts {
  /**
   * Throws `interrupted` if closed, or if aborted during a silence or a long wait; `source-budget` if the month's number
   * of requests is used up.
   * @param first it has waited for a limit of its own, and goes before others: a delay would put it near the next one
   */
  start(first?: boolean): Promise<Start>;
  /** Reports the end of a started request: its answer, or undefined without one. Call it once for each start. */
  ended(start: Start, answer: AnswerHead | undefined): void;
  /** Starts nothing for `ms`; a longer silence already in effect remains. Returns false if it is not kept. */
  silence(ms: number): boolean;
  /** What is currently known of the limits. */
  readonly view: LimitsView;
  close(): void;
}

/** Starts that this process grants itself, within limits that it may share with other processes on this machine. */
export class OwnStarts implements Starts {
  readonly #limits: Limits;
  readonly #pacer: Pacer;
  /** Started requests that have not ended yet. */
  #unanswered = 0;

  /** @param onWait called once for each long wait */
  constructor(limits: Limits, signal?: AbortSignal, onWait?: OnWait) {
    this.#limits = limits;
    this.#pacer = new Pacer(limits, signal, onWait);
  }

  async start(first = false): Promise<Start> {
    const start = await this.#pacer.start(first);
    this.#limits.spend();
    this.#unanswered += 1;
    return start;
  }

  ended({ at, waited }: Start, answer: AnswerHead | undefined): void {
    this.#unanswered -= 1;
    if (answer === undefined) return;
    const { status, headers } = answer;
    // A source that is only overloaded says when to come back; a failure without that says nothing about the rate.
    const refused = status === 429 || (status === 503 && headers["retry-after"] !== undefined);
    if (refused) this.#limits.refused(at);
    else if (waited && status < 500 && status !== 408) this.#limits.good();
    const advice = rateAdvice(headers, this.#limits.now());
    if (advice) this.#limits.heed(advice, this.#unanswered);
  }

  silence(ms: number): boolean {
    const isKept = this.#limits.silence(ms);
    this.#pacer.serve();
    return isKept;
  }

  get view(): LimitsView {
    return this.#limits.view;
  }

  close(): void {
    this.#pacer.close();
    this.#limits.close();
  }
}

interface Waiting {
  readonly first: boolean;
  readonly since: number;
  readonly resolve: (start: Start) => void;
  readonly reject: (error: HoldfastError) => void;
  waited: boolean;
}

/** After an interruption, the maximum wait for a start, in ms. */
const PATIENCE = 1_000;

/** A wait of at least this long, in ms, is reported: otherwise the process would seem to hang. */
const LONG = 60_000;

/** @param until in ms since 1970. @param why the cause of the long wait */
export type OnWait = (until: number, why: string) => void;

/** The queue of requests that are ready; they start in order, those who go first before others, as the limits allow. */
class Pacer {
  readonly #limits: Limits;
  readonly #signal: AbortSignal | undefined;
  #line: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #onWait: OnWait;
  /** The end of the last reported wait. */
  #told = 0;

  constructor(limits: Limits, signal?: AbortSignal, onWait: OnWait = () => {}) {
    this.#onWait = onWait;
    this.#limits = limits;
    this.#signal = signal;
    signal?.addEventListener("abort", this.serve);
  }

  /** Throws `interrupted` if closed, or if aborted during a silence or a long wait. */
  start(first: boolean): Promise<Start> {
    const { promise, resolve, reject } = Promise.withResolvers<Start>();
    const waiting = { first, since: this.#limits.now(), resolve, reject, waited: this.#line.length > 0 };
    const place = first ? this.#line.findIndex((other) => !other.first) : -1;
    this.#line.splice(place === -1 ? this.#line.length : place, 0, waiting);
    if (this.#line.length === 1) this.serve();
    return promise;
  }

  /** Checks again whether a request may start. */
  readonly serve = (): void => {
    clearTimeout(this.#timer);
    for (let head = this.#line[0]; head; head = this.#line[0]) {
      const wait = this.#closed ? undefined : this.#limits.claim(head.since);
      if (this.#closed || (wait && this.#isTooLong(wait))) {
        this.#refuse();
      } else if (wait) {
        head.waited = true;
        this.#tell(wait);
        this.#timer = setTimeout(this.serve, Math.ceil(wait.ms));
        break;
      } else {
        this.#line.shift();
        head.resolve({ at: this.#limits.now(), waited: head.waited });
      }
    }
  };

  close(): void {
    this.#closed = true;
    this.#signal?.removeEventListener("abort", this.serve);
    this.serve();
  }

  #tell({ ms }: Wait): void {
    const until = this.#limits.now() + ms;
    if (ms <= LONG || until <= this.#told + LONG) return;
    this.#told = until;
    this.#onWait(until, this.#limits.why);
  }

  #isTooLong({ ms, silent }: Wait): boolean {
    return this.#signal?.aborted === true && (silent || ms > PATIENCE);
  }

  #refuse(): void {
    const line = this.#line;
    this.#line = [];
    for (const { reject } of line) {
      reject(
        new HoldfastError("interrupted", "interrupted while waiting for the source's limits", {
          cause: this.#signal?.reason,
        }),
      );
    }
  }
}
