import type { HoldfastError } from "../error.ts";
import { type RetryPolicy, retrying } from "../retry.ts";
import type { Body, Vault } from "./vault.ts";

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
  return {
    url: vault.url,
    put: async (key, body, options) => {
      if (body instanceof Uint8Array) return again(() => vault.put(key, body, options));
      const kept = await again(() => keepSmall(body));
      if (kept.bytes) return again(() => vault.put(key, kept.bytes, options));
      let first = kept.rest;
      return again(() => {
        const opened = first;
        first = undefined;
        return vault.put(key, opened ? () => Promise.resolve(opened) : body, options);
      });
    },
    stream: (key, versionId) => again(() => vault.stream(key, versionId)),
    read: (key, limit, versionId) => again(() => vault.read(key, limit, versionId)),
    head: (key, versionId) => again(() => vault.head(key, versionId)),
    list: (prefix) => vault.list(prefix),
    versions: (prefix) => vault.versions(prefix),
    lock: (key, versionId, lock) => again(() => vault.lock(key, versionId, lock)),
    deleteVersion: (key, versionId) => again(() => vault.deleteVersion(key, versionId)),
    inspect: () => again(() => vault.inspect()),
    close: () => vault.close(),
  };
}

/** Reads a body up to KEEP bytes: either the whole of it, or the stream with what was read put back in front. */
async function keepSmall(
  produce: Exclude<Body, Uint8Array>,
): Promise<
  { bytes: Uint8Array; rest?: undefined } | { bytes?: undefined; rest: AsyncIterable<Uint8Array> | undefined }
> {
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

async function* prepended(chunks: Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    while (chunks.length > 0) yield chunks.shift()!;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}
