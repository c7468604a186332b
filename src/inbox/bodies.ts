/**
 * The memory for bodies that are being received. Once it is used up, the largest body that is not whole ends. Someone who
 * fills it loses their own: a provider's body is smaller than an even share of the connections.
 */
export class Bodies {
  readonly #most: number;
  readonly #growing = new Set<Body>();
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** @param onCrowded called if this one ends */
  begin(onCrowded: () => void): Body {
    const body: Body = new Body(onCrowded, (by) => {
      this.#held += by;
      if (by <= 0) this.#growing.delete(body);
      while (this.#held > this.#most && this.#growing.size > 0) this.#largest().end();
    });
    this.#growing.add(body);
    return body;
  }

  #largest(): Body {
    return this.#growing.values().reduce((largest, each) => (each.size > largest.size ? each : largest));
  }
}

/** One body, as far as it has come. */
export class Body implements Disposable {
  readonly #onCrowded: () => void;
  /** By how much it grew; not more than 0 once it grows no longer. */
  readonly #count: (by: number) => void;
  #chunks: Uint8Array[] = [];
  size = 0;
  isEnded = false;

  constructor(onCrowded: () => void, count: (by: number) => void) {
    this.#onCrowded = onCrowded;
    this.#count = count;
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.size += chunk.length;
    this.#count(chunk.length);
  }

  /** It has come to its last byte, and can no longer end before it is answered. */
  whole(): Buffer {
    this.#count(0);
    return Buffer.concat(this.#chunks);
  }

  end(): void {
    this.isEnded = true;
    this[Symbol.dispose]();
    this.#onCrowded();
  }

  [Symbol.dispose](): void {
    const size = this.size;
    this.size = 0;
    this.#chunks = [];
    this.#count(-size);
  }
}
