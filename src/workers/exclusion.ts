/** Work that runs beside other work, or alone. */
export class Exclusion {
  readonly #running = new Set<Promise<unknown>>();
  /** Settles once the work that runs alone, and all that waits to, has ended. */
  #alone: Promise<unknown> = Promise.resolve();

  /** Runs beside other work, once nothing runs alone. */
  async beside<T>(work: () => Promise<T>): Promise<T> {
    // What is to run alone and came later waits for this.
    await this.#alone;
    const running = work();
    const settled = running.catch(() => {});
    this.#running.add(settled);
    void settled.then(() => this.#running.delete(settled));
    return running;
  }

  /** Runs once all other work has ended; new work waits. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#alone;
    const running = (async () => {
      await before;
      await Promise.all(this.#running);
      return work();
    })();
    this.#alone = running.catch(() => {});
    return running;
  }
}
