import PQueue from "p-queue";
import type { Rate } from "../config/rate.ts";
import { HoldfastError } from "../error.ts";
import { Limits, type LimitsOptions, type LimitsView } from "./limits.ts";
import { Pacer } from "./pacer.ts";
import { type Headers, rateAdvice } from "./rate-headers.ts";

/** To be told of the answer to one request, as soon as its status and headers are there. */
export type Answered = (answer: { readonly status: number; readonly headers: Headers }) => void;

/**
 * Keeps a source's limits: so many requests in flight, never more in a time than `rate`, less while the source cannot
 * bear it, and none while it asked for silence. The rate begins gently, grows while answers are good and falls by half
 * when one is refused (`law.ts`); starts are spread evenly, because a burst at the head of each second is what a token
 * bucket refuses. Processes that are given one store keep the rate together (`shared-limits.ts`).
 *
 * What waits while it is closed, or in a silence or long wait that `signal` ends, throws `interrupted`.
 */
export class Throttle {
  readonly #queue: PQueue;
  readonly #limits: Limits;
  readonly #pacer: Pacer;
  /** Requests started that were not answered yet. */
  #unanswered = 0;

  constructor(rate: Rate, concurrency: number, signal?: AbortSignal, options?: LimitsOptions) {
    this.#queue = new PQueue({ concurrency });
    this.#limits = new Limits(rate, options);
    this.#pacer = new Pacer(this.#limits, signal);
  }

  /** What is known of the limits now. */
  get limits(): LimitsView {
    return this.#limits.view;
  }

  /** @param ended the result is handed on at once, and counts as in flight until this is settled */
  run<T>(work: (answered: Answered) => Promise<T>, ended?: (result: T) => Promise<unknown>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const task = async (): Promise<void> => {
      const { at, waited } = await this.#pacer.start();
      let answered = false;
      const end = (): void => {
        if (!answered) this.#unanswered -= 1;
        answered = true;
      };
      this.#unanswered += 1;
      try {
        const result = await work((answer) => {
          end();
          this.#learn(answer, at, waited);
        });
        resolve(result);
        end();
        await ended?.(result);
      } catch (error) {
        reject(error);
      } finally {
        end();
      }
    };
    this.#queue.add(task).catch((error: unknown) => reject(error instanceof HoldfastError ? error : cleared(error)));
    return promise;
  }

  /** Starts nothing for `ms`, whoever asks; a longer silence already asked for stands. */
  silence(ms: number): void {
    this.#limits.silence(ms);
    this.#pacer.serve();
  }

  close(): void {
    this.#queue.clear();
    this.#pacer.close();
    this.#limits.close();
  }

  #learn({ status, headers }: Parameters<Answered>[0], begun: number, waited: boolean): void {
    // Who is only overloaded says when to come back; a failure without that says nothing of the rate.
    const refused = status === 429 || (status === 503 && headers["retry-after"] !== undefined);
    if (refused) this.#limits.refused(begun);
    else if (waited && status < 500 && status !== 408) this.#limits.good();
    const advice = rateAdvice(headers, this.#limits.now());
    if (advice) this.#limits.heed(advice, this.#unanswered);
  }
}

function cleared(cause: unknown): HoldfastError {
  return new HoldfastError("interrupted", "interrupted while waiting for the source's limits", { cause });
}
