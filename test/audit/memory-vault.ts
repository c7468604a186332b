import { createHash } from "node:crypto";
import { HoldfastError } from "../../src/core/error.ts";
import type { Body, ObjectInfo, PutOptions, Stored, Vault, VersionInfo } from "../../src/vault/vault.ts";

interface Version extends ObjectInfo {
  readonly bytes: Uint8Array;
}

/** A vault in memory, for tests that write thousands of logs. It keeps no locks. */
export class MemoryVault implements Vault {
  readonly url = "memory:";
  readonly #objects: Map<string, Version[]>;

  constructor(objects: Map<string, Version[]> = new Map()) {
    this.#objects = objects;
  }

  /** A copy of the vault. Later puts change only one of the two. */
  copy(): MemoryVault {
    return new MemoryVault(new Map(Array.from(this.#objects, ([key, versions]) => [key, [...versions]])));
  }

  keys(prefix = ""): string[] {
    return [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** Removes an object, as a user with the right to lift locks can. */
  remove(key: string): void {
    this.#objects.delete(key);
  }

  async put(key: string, body: Body, { ifAbsent, ifMatch }: PutOptions = {}): Promise<Stored> {
    const bytes =
      body instanceof Uint8Array
        ? Buffer.from(body)
        : Buffer.concat(await Array.fromAsync(typeof body === "function" ? await body() : body));
    const versions = this.#objects.get(key) ?? [];
    if (ifAbsent && versions.length > 0) throw new HoldfastError("vault-exists", "there");
    if (ifMatch !== undefined && versions.at(-1)?.etag !== ifMatch) throw new HoldfastError("vault-conflict", "moved");
    const versionId = String(versions.length + 1);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const info = { key, versionId, etag: versionId, size: bytes.length, sha256, lock: null, hold: false };
    this.#objects.set(key, [...versions, { ...info, bytes }]);
    return { key, versionId, etag: versionId, size: bytes.length, sha256 };
  }

  async head(key: string, versionId?: string): Promise<Version> {
    const versions = this.#objects.get(key) ?? [];
    const found = versionId === undefined ? versions.at(-1) : versions.find((one) => one.versionId === versionId);
    if (found === undefined) throw new HoldfastError("vault-missing", "missing");
    return found;
  }

  async read(key: string, limit: number, versionId?: string) {
    const info = await this.head(key, versionId);
    if (info.size > limit) throw new HoldfastError("malformed", "too large");
    return { bytes: info.bytes, info };
  }

  async stream(key: string, versionId?: string): Promise<AsyncIterable<Uint8Array>> {
    const { bytes } = await this.head(key, versionId);
    return (async function* () {
      yield bytes;
    })();
  }

  async *list(prefix: string): AsyncGenerator<{ key: string; size: number }> {
    for (const key of this.keys(prefix)) yield { key, size: (await this.head(key)).size };
  }

  async *versions(prefix: string): AsyncGenerator<VersionInfo> {
    for (const key of this.keys(prefix)) {
      for (const { versionId, size } of this.#objects.get(key)!.toReversed())
        yield { key, versionId, size, deleteMarker: false };
    }
  }

  async lockOf(): Promise<null> {
    return null;
  }

  async lock(): Promise<void> {}
  async hold(): Promise<void> {}
  async deleteVersion(): Promise<void> {}
  async inspect(): Promise<void> {}
  async close(): Promise<void> {}
}

export type Fault = "before" | "after";

/**
 * A vault behind a connection that dies. Put number `at`, counted from 0, does not arrive (`before`), or arrives and
 * its answer is lost (`after`). After that nothing arrives.
 */
export function dying(vault: Vault, at: number, fault: Fault): Vault {
  let puts = 0;
  const lost = (): HoldfastError => new HoldfastError("vault-unavailable", "the connection is dead");
  const alive = async <T>(work: () => Promise<T>): Promise<T> => {
    if (puts > at) throw lost();
    return work();
  };
  return {
    url: vault.url,
    put: async (key, body, options) => {
      const number = puts++;
      if (number > at || (number === at && fault === "before")) throw lost();
      const stored = await vault.put(key, body, options);
      if (number === at) throw lost();
      return stored;
    },
    stream: (key, versionId) => alive(() => vault.stream(key, versionId)),
    read: (key, limit, versionId) => alive(() => vault.read(key, limit, versionId)),
    head: (key, versionId) => alive(() => vault.head(key, versionId)),
    list: (prefix) => vault.list(prefix),
    versions: (prefix) => vault.versions(prefix),
    lockOf: (key, versionId) => alive(() => vault.lockOf(key, versionId)),
    lock: (key, versionId, lock) => alive(() => vault.lock(key, versionId, lock)),
    hold: (key, versionId, held) => alive(() => vault.hold(key, versionId, held)),
    deleteVersion: (key, versionId) => alive(() => vault.deleteVersion(key, versionId)),
    inspect: () => alive(() => vault.inspect()),
    close: () => vault.close(),
  };
}
