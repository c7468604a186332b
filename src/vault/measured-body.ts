import { createHash } from "node:crypto";
import { HoldfastError } from "../core/error.ts";
import type { Body, Sent } from "./vault.ts";

/** The pieces of a body that is in memory. */
export function piecesOf(body: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  return body instanceof Uint8Array ? [body] : body;
}

/**
 * Counts and hashes a body on its way into a store. Keeps the producer's error apart from the store's: the caller must
 * get it unchanged, not renamed or hidden by the store's own error.
 */
export class MeasuredBody implements AsyncIterable<Uint8Array> {
  failure: { readonly error: unknown } | undefined;
  readonly #body: Body;
  readonly #onSent: ((sent: Sent) => void) | undefined;
  readonly #hash = createHash("sha256");
  #size = 0;
  #sent: Sent | undefined;

  /** @param onSent called once everything has passed */
  constructor(body: Body, onSent?: (sent: Sent) => void) {
    this.#body = body;
    this.#onSent = onSent;
  }

  /** Can be iterated once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    const body = this.#body;
    if (typeof body !== "function") {
      for (const piece of piecesOf(body)) yield this.#counted(piece);
      this.#end();
      return;
    }
    const iterator = await this.#own(async () => (await body())[Symbol.asyncIterator]());
    try {
      for (;;) {
        const next = await this.#own(() => iterator.next());
        if (next.done) return this.#end();
        yield this.#counted(next.value);
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** Everything that passed. Valid after the end. */
  get sent(): Sent {
    if (!this.#sent) throw new HoldfastError("internal", "a body was stored before its end");
    return this.#sent;
  }

  #counted(chunk: Uint8Array): Uint8Array {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    return chunk;
  }

  #end(): void {
    this.#sent = { size: this.#size, sha256: this.#hash.digest("hex") };
    this.#onSent?.(this.#sent);
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
