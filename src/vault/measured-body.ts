import { createHash } from "node:crypto";
import type { Body } from "./vault.ts";

/**
 * A body on its way into a store: counted and hashed as it passes. What its producer threw is kept apart from what the
 * store threw, because it belongs to the caller as it is: a store must neither rename it nor hide it behind its own.
 */
export class MeasuredBody implements AsyncIterable<Uint8Array> {
  size = 0;
  failure: { readonly error: unknown } | undefined;
  readonly #body: Body;
  readonly #hash = createHash("sha256");

  constructor(body: Body) {
    this.#body = body;
  }

  /** Once: the bytes have passed then. */
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

  /** Of everything that passed, lower-case hex; callable once. */
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
