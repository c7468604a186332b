import type { Answer } from "../answer.ts";
import type { Limits, LimitsView } from "./limits.ts";
import { type OnWait, Pacer } from "./pacer.ts";
import { rateAdvice } from "./rate-headers.ts";

/** A start that was granted. */
export interface Start {
  /** When. */
  readonly at: number;
  /** Whether it had to wait for it: only then does the answer say anything of the rate. */
  readonly waited: boolean;
}

/** Grants the starts of requests to one source, and learns from their answers how many it bears. */
export interface Starts {
  /** Throws `interrupted` when closed, or aborted in a silence or a long wait. */
  start(): Promise<Start>;
  /** How a request that was started ended: answered, or undefined where no answer came. Once for each start. */
  ended(start: Start, answer: Answer | undefined): void;
  /** Starts nothing for `ms`, whoever asks; a longer silence already asked for stands. False: that is not done. */
  silence(ms: number): boolean;
  /** What is known of the limits now. */
  readonly view: LimitsView;
  close(): void;
}

/** Starts that this process grants itself, within limits that it may share with others on this machine. */
export class OwnStarts implements Starts {
  readonly #limits: Limits;
  readonly #pacer: Pacer;
  /** Requests started that have not ended yet. */
  #unanswered = 0;

  /** @param onWait told of a long wait, once */
  constructor(limits: Limits, signal?: AbortSignal, onWait?: OnWait) {
    this.#limits = limits;
    this.#pacer = new Pacer(limits, signal, onWait);
  }

  async start(): Promise<Start> {
    const start = await this.#pacer.start();
    this.#unanswered += 1;
    return start;
  }

  ended({ at, waited }: Start, answer: Answer | undefined): void {
    this.#unanswered -= 1;
    if (answer === undefined) return;
    const { status, headers } = answer;
    // Who is only overloaded says when to come back; a failure without that says nothing of the rate.
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
