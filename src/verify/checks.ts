import PQueue from "p-queue";

/** Runs checks in parallel, with a few more in the queue. The first one that cannot be made ends them all. */
export class Checks {
  readonly #queue: PQueue;
  readonly #waiting: number;
  #failure: unknown;

  constructor(concurrency: number) {
    this.#queue = new PQueue({ concurrency });
    this.#waiting = concurrency * 4;
  }

  async add(work: () => Promise<void>): Promise<void> {
    if (this.#failure) throw this.#failure;
    void this.#queue.add(work).catch((error: unknown) => {
      this.#failure ??= error;
      this.#queue.clear();
    });
    await this.#queue.onSizeLessThan(this.#waiting);
  }

  async end(): Promise<void> {
    await this.#queue.onIdle();
    if (this.#failure) throw this.#failure;
  }
}
