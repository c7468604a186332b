/**
 * Time that passes only when nothing else is left to do: hours in seconds. Replaces this process's timers and clock, so a
 * file that uses it does nothing else meanwhile.
 */

interface Timer {
  readonly at: number;
  readonly number: number;
  readonly run: () => void;
}

export class VirtualTime implements Disposable {
  #now = 1_800_000_000_000;
  #count = 0;
  /** A binary heap: the earliest is first. */
  readonly #heap: Timer[] = [];
  readonly #ended = new Set<number>();
  readonly #real = { setTimeout, clearTimeout, now: Date.now };

  constructor() {
    globalThis.setTimeout = ((run: () => void, ms = 0) => this.later(ms, run)) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((number: number) => {
      if (number !== undefined) this.#ended.add(number);
    }) as unknown as typeof clearTimeout;
    Date.now = () => Math.floor(this.#now);
  }

  get now(): number {
    return this.#now;
  }

  later(ms: number, run: () => void): number {
    const number = this.#count++;
    const at = this.#now + Math.max(0, ms);
    let place = this.#heap.push({ at, number, run }) - 1;
    for (let above = (place - 1) >> 1; place > 0 && this.#isBefore(place, above); above = (place - 1) >> 1) {
      this.#swap(place, above);
      place = above;
    }
    return number;
  }

  /** Lets so much time pass, with everything that happens in it. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    // Promises and streams that need no time come first.
    if (this.#heap.length === 0) await new Promise((resolve) => setImmediate(resolve));
    for (let next = this.#heap[0]; next && next.at <= end; next = this.#heap[0]) {
      this.#take();
      if (this.#ended.delete(next.number)) continue;
      this.#now = next.at;
      next.run();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#now = end;
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#real.setTimeout;
    globalThis.clearTimeout = this.#real.clearTimeout;
    Date.now = this.#real.now;
  }

  #take(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let place = 0; ; ) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      let least = place;
      if (left < this.#heap.length && this.#isBefore(left, least)) least = left;
      if (right < this.#heap.length && this.#isBefore(right, least)) least = right;
      if (least === place) return;
      this.#swap(place, least);
      place = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one]!, this.#heap[other]!];
    return a.at < b.at || (a.at === b.at && a.number < b.number);
  }

  #swap(one: number, other: number): void {
    [this.#heap[one], this.#heap[other]] = [this.#heap[other]!, this.#heap[one]!];
  }
}
