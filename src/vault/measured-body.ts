import { createHash } from "node:crypto";
import type { Body } from "./vault.ts";

/**
 * Counts and hashes a body on its way into a store. Keeps the producer's error apart from the store's: the caller must
 * get it unchanged, not renamed or hidden by the store's own error.
 */
export class MeasuredBody implements AsyncIterable<Uint8Array> {
  size = 0;
  failure: { readonly error: unknown } | undefined;
  readonly #body: Body;
  readonly #hash = createHash("sha256");

  constructor(body: Body) {
    this.#body = body;
  }

  /** Can be iterated once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const body = this.#body;
    if (body instanceof Uint8Array) {
      this.#count(body);
      yield body;
      return;
    }
    const iterator = await this.#own(async () => (await body())[Symbol.asyncIterator]());
    try {
      for (;;) {
        const next = await this.#own(() => iterator.next());
        if (next.done) return;
        this.#count(next.value);
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** The digest of everything that passed, in lower-case hex. Callable once. */
  sha256(): string {
    return this.#hash.digest("hex");
  }

  #count(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.size += chunk.length;
  }

  async #own<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }
}
