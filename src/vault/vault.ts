/**
 * Stores sealed objects and the audit log. Keys are relative to the vault; `layout.ts` builds them.
 *
 * Contract of every implementation, tested by test/vault/conformance.ts:
 * - A `put` that resolved is durable: it survives the loss of this process and of this machine's power.
 * - A `put` to a key that exists adds a version and destroys none. The newest version is what a read without
 *   `versionId` sees.
 * - Readers see the whole of a version or nothing of it.
 * - A lock is on the version from the moment the `put` resolves, and is never shortened.
 * - Every call ends in bounded time. What a retry may fix is thrown as `vault-unavailable`, everything else with
 *   a permanent code. Implementations do not retry; `retry.ts` does, so every call here may run twice.
 */
export interface Vault {
  /** For messages: `s3://bucket/prefix` or `file:///dir`. */
  readonly url: string;

  /** `head` costs no request: it reads this machine's own file system. */
  readonly isLocal?: boolean;

  /**
   * Throws vault-exists (`ifAbsent`), vault-conflict (`ifMatch`), vault-denied, vault-rejected, vault-unfit. If the
   * body's producer throws, no version is added, and the put throws that same error.
   */
  put(key: string, body: Body, options?: PutOptions): Promise<Stored>;

  /**
   * The bytes of a version as they arrive. Throws vault-missing. If the connection is cut, the stream throws; it never
   * ends early.
   */
  stream(key: string, versionId?: string): Promise<AsyncIterable<Uint8Array>>;

  /** A whole small object. Throws vault-missing, or `malformed` if it is larger than `limit` bytes. */
  read(key: string, limit: number, versionId?: string): Promise<{ bytes: Uint8Array; info: ObjectInfo }>;

  /** Throws vault-missing. */
  head(key: string, versionId?: string): Promise<ObjectInfo>;

  /** Only a version's lock. Unlike `head`, it needs no right to read the version. Throws vault-missing. */
  lockOf(key: string, versionId: string): Promise<Lock | null>;

  /** The newest versions under a prefix, in key order. */
  list(prefix: string): AsyncIterable<{ key: string; size: number }>;

  /** All versions of the keys under a prefix, key by key, newest first: the order in which they became durable. */
  versions(prefix: string): AsyncIterable<VersionInfo>;

  /**
   * What a reader who does not use versions sees at the key: the newest version, an earlier one or nothing (after a
   * crash), or other bytes. A bucket always shows the newest, so it lacks this call.
   * @param newest the newest version, if the caller knows it: this saves a listing
   */
  view?(key: string, newest?: string): Promise<"newest" | "earlier" | "other">;

  /**
   * Sets or extends a version's lock. Throws vault-locked if asked to shorten one. The store decides whether a
   * governance lock may become a compliance lock: AWS requires s3:BypassGovernanceRetention for that.
   * @param harden use that right, if granted, to turn governance into compliance
   */
  lock(key: string, versionId: string, lock: Lock, harden?: boolean): Promise<void>;

  /** Sets or releases a version's legal hold. Idempotent. Throws vault-missing. */
  hold(key: string, versionId: string, held: boolean): Promise<void>;

  /**
   * Permanently removes one version; its id is never reused. Removing the last version removes every name under which
   * the bytes could be read. Throws vault-locked while a lock or hold is in effect. Idempotent.
   */
  deleteVersion(key: string, versionId: string): Promise<void>;

  /**
   * Keys under a prefix that have no version but still have bytes, under a name that a crash or an earlier Holdfast did
   * not remove with the last version. A bucket cannot have such keys, so it lacks these calls.
   */
  remains?(prefix: string): AsyncIterable<{ key: string; size: number }>;

  /**
   * Removes what is left of a key without versions and returns the number of names removed. Leaves other keys alone.
   */
  clear?(key: string): Promise<number>;

  /** Checks that the store can keep Holdfast's promises. Throws vault-unfit, vault-missing or vault-denied if not. */
  inspect(): Promise<void>;

  close(): Promise<void>;
}

/**
 * Bytes, whole or in pieces, or a function that produces them. It is called again for each attempt. What it produces is
 * the reader's alone, who may give its memory back.
 */
export type Body = Uint8Array | readonly Uint8Array[] | BodyProducer;
export type BodyProducer = () => Promise<AsyncIterable<Uint8Array>>;

export interface Lock {
  /** Users with a special right can lift governance. No one can lift compliance before it ends. */
  readonly mode: "governance" | "compliance";
  /** In whole seconds, as stores keep it. */
  readonly until: Temporal.Instant;
}

export interface PutOptions {
  readonly lock?: Lock | undefined;
  /** Create only. Effective only if the store supports it (`Conditional`). */
  readonly ifAbsent?: boolean;
  /** Replace only the version with this etag. */
  readonly ifMatch?: string;
  /**
   * Called before each attempt; if it throws, the put ends. A put may be retried for minutes, and its writer may lose
   * the vault meanwhile.
   */
  readonly holds?: () => void | Promise<void>;
  /** Called with what this put sends, for each attempt, before the store can answer that it has it. */
  readonly onSent?: (sent: Sent) => void;
}

/** The bytes of a body. */
export interface Sent {
  readonly size: number;
  /** In lower-case hex. */
  readonly sha256: string;
}

export interface Stored {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  readonly size: number;
  /** Digest of the stored bytes in lower-case hex. */
  readonly sha256: string;
}

export interface ObjectInfo {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  readonly size: number;
  /**
   * The digest stored when the version was written. Null for S3 multipart uploads, whose metadata are sent before their
   * bytes.
   */
  readonly sha256: string | null;
  readonly lock: Lock | null;
  readonly hold: boolean;
}

export interface VersionInfo {
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  /** A marker that hides the key from readers without removing anything. */
  readonly deleteMarker: boolean;
}

/**
 * Which conditional writes a store supports. Some stores accept the header and ignore it, so `init` tests it
 * (probe.ts).
 */
export interface Conditional {
  readonly ifNoneMatch: boolean;
  readonly ifMatch: boolean;
}
