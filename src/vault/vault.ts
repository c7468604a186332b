/**
 * Where sealed objects and the audit log live. Keys are relative to the vault; `layout.ts` makes them.
 *
 * Contract of every implementation, held to by test/vault/conformance.ts:
 * - A `put` that resolved is durable: it survives the loss of this process and of this machine's power.
 * - A `put` to a key that exists adds a version and destroys none. The newest version is what a read without
 *   `versionId` sees.
 * - Readers see the whole of a version or nothing of it.
 * - A lock is on the version from the moment the `put` resolves, and is never shortened.
 * - Every call ends in bounded time. What a retry may fix is thrown as `vault-unavailable`, everything else with
 *   a permanent code. Implementations do not retry; `retry.ts` does, so every call here may run twice.
 */
export interface Vault {
  /** For people: `s3://bucket/prefix` or `file:///dir`. */
  readonly url: string;

  /**
   * Throws vault-exists (`ifAbsent`), vault-conflict (`ifMatch`), vault-denied, vault-rejected, vault-unfit; what the
   * body's producer threw, as it is, and then no version was added.
   */
  put(key: string, body: Body, options?: PutOptions): Promise<Stored>;

  /** The bytes of a version as they arrive. Throws vault-missing. A cut connection throws, it never ends early. */
  stream(key: string, versionId?: string): Promise<AsyncIterable<Uint8Array>>;

  /** A whole small object, at most `limit` bytes; a larger one is `malformed`. Throws vault-missing. */
  read(key: string, limit: number, versionId?: string): Promise<{ bytes: Uint8Array; info: ObjectInfo }>;

  /** Throws vault-missing. */
  head(key: string, versionId?: string): Promise<ObjectInfo>;

  /** A version's lock alone; unlike `head` it takes no right to read the version. Throws vault-missing. */
  lockOf(key: string, versionId: string): Promise<Lock | null>;

  /** Newest versions under a prefix, in the order of keys. */
  list(prefix: string): AsyncIterable<{ key: string; size: number }>;

  /** All versions of the keys under a prefix, key by key, newest first: the order in which they became durable. */
  versions(prefix: string): AsyncIterable<VersionInfo>;

  /**
   * What a reader who knows nothing of versions gets by opening the key: the newest version, an earlier one or nothing
   * (after a crash it may lag behind), or something that no version holds. A bucket shows the newest by definition,
   * and has no such call.
   * @param newest the newest version, where the caller knows it: that saves looking
   */
  view?(key: string, newest?: string): Promise<"newest" | "earlier" | "other">;

  /**
   * Sets or extends a version's lock. Throws vault-locked when asked to shorten one. Whether a governance lock may
   * become a compliance lock is the store's affair: AWS wants s3:BypassGovernanceRetention for it, and refuses without.
   * @param harden that right is used, if it is there, to turn governance into compliance
   */
  lock(key: string, versionId: string, lock: Lock, harden?: boolean): Promise<void>;

  /** Places or lifts a version's legal hold. Doing it twice is no error. Throws vault-missing. */
  hold(key: string, versionId: string, held: boolean): Promise<void>;

  /**
   * Removes one version permanently; its id is never given again. With the last version every name goes by which the bytes
   * could be read. Throws vault-locked while a lock or a hold stands. What is gone already is no error.
   */
  deleteVersion(key: string, versionId: string): Promise<void>;

  /**
   * Keys under a prefix that have no version, and of which bytes are left all the same: a name that a crash or an
   * earlier Holdfast did not remove with the last version. A bucket has none of these, and no such calls.
   */
  remains?(prefix: string): AsyncIterable<{ key: string; size: number }>;

  /** Removes what is left of a key that has no version, and says how many names that were. Of others it removes nothing. */
  clear?(key: string): Promise<number>;

  /** Whether the store can keep what Holdfast promises. Throws vault-unfit, vault-missing or vault-denied if not. */
  inspect(): Promise<void>;

  close(): Promise<void>;
}

/** Bytes, or a way to produce them. A producer is called again for each attempt. */
export type Body = Uint8Array | BodyProducer;
export type BodyProducer = () => Promise<AsyncIterable<Uint8Array>>;

export interface Lock {
  /** Governance can be lifted by those with a special right, compliance by no one until it ends. */
  readonly mode: "governance" | "compliance";
  /** In whole seconds: stores keep no more. */
  readonly until: Temporal.Instant;
}

export interface PutOptions {
  readonly lock?: Lock | undefined;
  /** Create only. Meaningful where the store is known to honour it (`Conditional`). */
  readonly ifAbsent?: boolean;
  /** Replace only the version with this etag. */
  readonly ifMatch?: string;
  /**
   * Asked before each attempt; what it throws ends the put. A put is retried for minutes, and its writer may lose the
   * vault meanwhile.
   */
  readonly holds?: () => void | Promise<void>;
}

export interface Stored {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  readonly size: number;
  /** Of the stored bytes, lower-case hex. */
  readonly sha256: string;
}

export interface ObjectInfo {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  readonly size: number;
  /** As noted when it was written; null for S3 multipart uploads, whose metadata precede their bytes. */
  readonly sha256: string | null;
  readonly lock: Lock | null;
  readonly hold: boolean;
}

export interface VersionInfo {
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  /** A mark that hides the key from readers without removing anything. */
  readonly deleteMarker: boolean;
}

/** What a store does with conditional writes: some accept the header and ignore it, so `init` tries (probe.ts). */
export interface Conditional {
  readonly ifNoneMatch: boolean;
  readonly ifMatch: boolean;
}
