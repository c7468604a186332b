import type { HoldfastError } from "../core/error.ts";
import { type RetryPolicy, retrying } from "../io/retry.ts";
import { Gathered, type Slabs } from "./gathered.ts";
import { type Place, Room } from "./room.ts";
import type { BodyProducer, Vault } from "./vault.ts";

/** Bodies up to this size are kept and resent. Longer ones are produced again. */
const KEEP = 8 * 1024 * 1024;
/** What a longer one has in memory while it is sent in parts. */
const IN_PARTS = 16 * 1024 * 1024;
/** For all bodies that are produced at the same time: three files of 5 MB, or any sixteen of 1 MB. */
const ROOM = 20 * 1024 * 1024;

export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly signal?: AbortSignal;
  readonly onRetry?: (error: HoldfastError) => void;
}

/**
 * Retries what a vault reports as transient. Each attempt compares the etag again, so a compare-and-swap whose first
 * answer was lost reports `vault-conflict`. The caller must read the object before it treats that as a conflict.
 */
export function withRetry(vault: Vault, { policy, signal, onRetry }: RetryOptions): Vault {
  const again = <T>(work: () => Promise<T>): Promise<T> => retrying(work, policy, signal, onRetry);
  const room = new Room(ROOM, KEEP);
  const slabs: Slabs = [];
  const attempt: Vault["put"] = async (key, body, options) => {
    const asked = options?.holds?.();
    // If `holds` answers synchronously, nothing may run between the answer and the put.
    if (asked) await asked;
    return vault.put(key, body, options);
  };
  return {
    url: vault.url,
    ...(vault.isLocal ? { isLocal: true } : {}),
    put: async (key, body, options) => {
      if (typeof body !== "function") return again(() => attempt(key, body, options));
      using place = await room.enter();
      const kept = await again(() => keepSmall(body, place, slabs));
      if (kept.whole) {
        using whole = kept.whole;
        return await again(() => attempt(key, whole.pieces, options));
      }
      let first: AsyncIterableIterator<Uint8Array> | undefined = kept.rest;
      return await again(async () => {
        const opened = first;
        first = undefined;
        if (!opened) place.restart();
        try {
          return await attempt(key, opened ? () => Promise.resolve(opened) : body, options);
        } finally {
          // A put may fail before it reads the first byte. Close the producer, which would wait forever.
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

type Buffered = { whole: Gathered; rest?: undefined } | { whole?: undefined; rest: AsyncIterableIterator<Uint8Array> };

/** Reads up to KEEP bytes of a body. Gives the whole body, or a stream that starts with the bytes already read. */
async function keepSmall(produce: BodyProducer, place: Place, slabs: Slabs): Promise<Buffered> {
  const kept = new Gathered(slabs);
  try {
    const iterator = (await produce())[Symbol.asyncIterator]();
    while (kept.size <= KEEP) {
      const next = await iterator.next();
      if (next.done) {
        place.settle(Gathered.room(kept.size));
        return { whole: kept };
      }
      const size = kept.size + next.value.length;
      await place.need(size <= KEEP ? Gathered.room(size) : IN_PARTS);
      kept.add(next.value);
    }
    // Its slabs are not taken back: no one says when the upload is done with them.
    return { rest: prepended([...kept.pieces], iterator) };
  } catch (error) {
    kept[Symbol.dispose]();
    place.restart();
    throw error;
  }
}

/** Not a generator: if it never started, a generator would not pass `return` on. */
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
