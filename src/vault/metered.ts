import { HoldfastError } from "../core/error.ts";
import type { Vault } from "./vault.ts";

/** Receives each attempt: the call's name, `ok` or an error code, and the seconds it took. */
export type OnRequest = (operation: string, outcome: string, seconds: number) => void;

/**
 * Measures each call of a vault. Wrap it in `withRetry`, so that every attempt is measured. `stream` is measured until
 * its first byte is readable. Listings are not measured: their duration depends on the reader.
 */
export function metered(vault: Vault, onRequest: OnRequest): Vault {
  const timed = async <T>(operation: string, work: Promise<T>): Promise<T> => {
    const begun = performance.now();
    let outcome = "ok";
    try {
      return await work;
    } catch (error) {
      outcome = error instanceof HoldfastError ? error.code : "internal";
      throw error;
    } finally {
      onRequest(operation, outcome, (performance.now() - begun) / 1000);
    }
  };
  return {
    url: vault.url,
    ...(vault.isLocal ? { isLocal: true } : {}),
    put: (...args) => timed("put", vault.put(...args)),
    stream: (...args) => timed("stream", vault.stream(...args)),
    read: (...args) => timed("read", vault.read(...args)),
    head: (...args) => timed("head", vault.head(...args)),
    lockOf: (...args) => timed("lockOf", vault.lockOf(...args)),
    list: (prefix) => vault.list(prefix),
    versions: (prefix) => vault.versions(prefix),
    ...(vault.view ? { view: (key: string, newest?: string) => timed("view", vault.view!(key, newest)) } : {}),
    lock: (...args) => timed("lock", vault.lock(...args)),
    hold: (...args) => timed("hold", vault.hold(...args)),
    deleteVersion: (...args) => timed("delete", vault.deleteVersion(...args)),
    ...(vault.remains ? { remains: (prefix: string) => vault.remains!(prefix) } : {}),
    ...(vault.clear ? { clear: (key: string) => timed("clear", vault.clear!(key)) } : {}),
    inspect: () => timed("inspect", vault.inspect()),
    close: () => vault.close(),
  };
}
