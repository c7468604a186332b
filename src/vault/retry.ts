import type { HoldfastError } from "../core/error.ts";
import { type RetryPolicy, retrying } from "../io/retry.ts";
import type { BodyProducer, Vault } from "./vault.ts";

/** Bodies up to this size are kept and sent again; longer ones are produced again. */
const KEEP = 8 * 1024 * 1024;

export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly signal?: AbortSignal;
  readonly onRetry?: (error: HoldfastError) => void;
}

/**
 * Retries what a vault calls transient. An etag is compared again on each attempt, so a compare-and-swap whose first
 * answer was lost reports vault-conflict: its caller must look at what is there before it calls that a conflict.
 */
export function withRetry(vault: Vault, { policy, signal, onRetry }: RetryOptions): Vault {
  const again = <T>(work: () => Promise<T>): Promise<T> => retrying(work, policy, signal, onRetry);
  const attempt: Vault["put"] = async (key, body, options) => {
    const asked = options?.holds?.();
    // Where the answer is there at once, nothing may come between it and the put.
    if (asked) await asked;
    return vault.put(key, body, options);
  };
  return {
    url: vault.url,
    put: async (key, body, options) => {
      if (body instanceof Uint8Array) return again(() => attempt(key, body, options));
      const kept = await again(() => keepSmall(body));
      if (kept.bytes) return again(() => attempt(key, kept.bytes, options));
      let first: AsyncIterableIterator<Uint8Array> | undefined = kept.rest;
      return again(async () => {
        const opened = first;
        first = undefined;
        try {
          return await attempt(key, opened ? () => Promise.resolve(opened) : body, options);
        } finally {
          // A put may fail before it asks for the first byte; whoever produces would be left waiting to be read.
          await opened?.return?.();
        }
      });
    },
    stream: (key, versionId) => again(() => vault.stream(key, versionId)),
    read: (key, limit, versionId) => again(() => vault.read(key, limit, versionId)),
    head: (key, versionId) => again(() => vault.head(key, versionId)),
    lockOf: (key, versionId) => again(() => vault.lockOf(key, versionId)),
    list: (prefix) => vault.list(prefix),
    versions: (prefix) => vault.versions(prefix),
    ...(vault.view ? { view: (key: string, newest?: string) => again(() => vault.view!(key, newest)) } : {}),
    lock: (key, versionId, lock, harden) => again(() => vault.lock(key, versionId, lock, harden)),
    hold: (key, versionId, held) => again(() => vault.hold(key, versionId, held)),
    deleteVersion: (key, versionId) => again(() => vault.deleteVersion(key, versionId)),
    ...(vault.remains ? { remains: (prefix: string) => vault.remains!(prefix) } : {}),
    ...(vault.clear ? { clear: (key: string) => again(() => vault.clear!(key)) } : {}),
    inspect: () => again(() => vault.inspect()),
    close: () => vault.close(),
  };
}

type Buffered =
  | { bytes: Uint8Array; rest?: undefined }
  | { bytes?: undefined; rest: AsyncIterableIterator<Uint8Array> };

/** Reads a body up to KEEP bytes: either the whole of it, or the stream with what was read put back in front. */
async function keepSmall(produce: BodyProducer): Promise<Buffered> {
  const iterator = (await produce())[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size <= KEEP) {
    const next = await iterator.next();
    if (next.done) return { bytes: Buffer.concat(chunks, size) };
    chunks.push(next.value);
    size += next.value.length;
  }
  return { rest: prepended(chunks, iterator) };
}

/** No generator: one that was never begun does not pass `return` on. */
function prepended(chunks: Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncIterableIterator<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const value = chunks.shift();
      return value ? { value, done: false } : iterator.next();
    },
    async return() {
      chunks.length = 0;
      return (await iterator.return?.()) ?? { value: undefined, done: true };
    },
  };
}
