import PQueue from "p-queue";
import { HoldfastError } from "../../core/error.ts";
import type { LimitsView } from "./limits.ts";
import type { Answered, AnswerHead, Starts } from "./starts.ts";

/**
 * Keeps a source's limits: so many requests in flight, and each begun when it is granted a start (`starts.ts`): never
 * more in a time than the rate, less while the source cannot bear it, and none while it asked for silence. The rate
 * begins gently, grows while answers are good and falls by half when one is refused (`aimd.ts`); starts are spread
 * evenly, because a burst at the head of each second is what a token bucket refuses.
 *
 * What waits while it is closed, or in a silence or long wait that is interrupted, throws `interrupted`.
 */
export class Throttle {
  readonly #queue: PQueue;
  readonly #starts: Starts;

  constructor(starts: Starts, concurrency: number) {
    this.#queue = new PQueue({ concurrency });
    this.#starts = starts;
  }

  /** What is known of the limits now. */
  get limits(): LimitsView {
    return this.#starts.view;
  }

  /** @param ended the result is handed on at once, and counts as in flight until this is settled */
  run<T>(work: (answered: Answered) => Promise<T>, ended?: (result: T) => Promise<unknown>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const task = async (): Promise<void> => {
      const start = await this.#starts.start();
      let told = false;
      const end = (answer?: AnswerHead): void => {
        if (!told) this.#starts.ended(start, answer);
        told = true;
      };
      try {
        const result = await work(end);
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

  silence(ms: number): boolean {
    return this.#starts.silence(ms);
  }

  close(): void {
    this.#queue.clear();
    this.#starts.close();
  }
}

function cleared(cause: unknown): HoldfastError {
  return new HoldfastError("interrupted", "interrupted while waiting for the source's limits", { cause });
}
