/** Four have a sealed file of 1 MiB, with age's header and tags. */
const SLAB = 260 * 1024;

/**
 * Memory that is used again and again, for the bodies that are stored at the same time. Memory that is thrown away V8
 * frees only once 64 MB of it have gathered.
 */
export type Slabs = Uint8Array[];

/**
 * A body in memory, which grows. It copies what it is given, and gives that memory back at once. Dispose of it once the
 * body is stored: its slabs then take other sealed bytes. Should a request still send them, the store refuses these by
 * the digest that it was promised.
 */
export class Gathered implements Disposable {
  readonly #free: Slabs;
  readonly #taken: Uint8Array[] = [];
  #size = 0;

  constructor(free: Slabs) {
    this.#free = free;
  }

  get size(): number {
    return this.#size;
  }

  get pieces(): readonly Uint8Array[] {
    const last = this.#taken.length - 1;
    return this.#taken.map((slab, at) => (at === last ? slab.subarray(0, this.#size - last * SLAB) : slab));
  }

  /** What it has in memory with so many bytes. */
  static room(bytes: number): number {
    return Math.ceil(bytes / SLAB) * SLAB;
  }

  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const filled = this.#size % SLAB;
      if (filled === 0) this.#taken.push(this.#free.pop() ?? new Uint8Array(SLAB));
      const part = chunk.subarray(at, at + SLAB - filled);
      this.#taken.at(-1)!.set(part, filled);
      this.#size += part.length;
      at += part.length;
    }
    giveBack(chunk);
  }

  [Symbol.dispose](): void {
    this.#free.push(...this.#taken.splice(0));
    this.#size = 0;
  }
}

/** Frees the memory of a chunk now, if it is not part of a larger piece of memory. */
function giveBack({ buffer, length }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}
