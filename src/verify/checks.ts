import PQueue from "p-queue";

/** Checks under way: so many at once, a few more waiting. The first that cannot be made ends them all. */
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
