import PQueue from "p-queue";
import { HoldfastError } from "../../core/error.ts";
import type { LimitsView } from "./limits.ts";
import type { Answered, AnswerHead, Starts } from "./starts.ts";

/**
 * Keeps a source's limits: a maximum of requests in flight, and each one starts only when a start is granted
 * (`starts.ts`). Starts never exceed the rate; there are fewer while the source cannot handle more, and none during a
 * silence it requested. The rate starts low, grows while answers are good and halves when one is refused (`aimd.ts`).
 * Starts are spread evenly, because token buckets refuse a burst at the start of each second.
 *
 * Requests that wait throw `interrupted` when it is closed, or when a silence or long wait is interrupted.
 */
export class Throttle {
  readonly #queue: PQueue;
  readonly #starts: Starts;

  constructor(starts: Starts, concurrency: number) {
    this.#queue = new PQueue({ concurrency });
    this.#starts = starts;
  }

  /** What is currently known of the limits. */
  get limits(): LimitsView {
    return this.#starts.view;
  }

  /**
   * @param ended the result is returned at once, but counts as in flight until this settles
   * @param first it goes before others that wait
   */
  run<T>(work: (answered: Answered) => Promise<T>, ended?: (result: T) => Promise<unknown>, first = false): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const task = async (): Promise<void> => {
      const start = await this.#starts.start(first);
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
    this.#queue
      .add(task, { priority: Number(first) })
      .catch((error: unknown) => reject(error instanceof HoldfastError ? error : cleared(error)));
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
