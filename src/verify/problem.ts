import type { Lock } from "../vault/vault.ts";

/** A difference between a vault and its log. */
export interface Problem {
  /** The key of the object concerned: a record or file, a tile, a bundle, the checkpoint. */
  readonly key: string;
  /** The log entry that says otherwise. */
  readonly entry?: number;
  readonly what: string;
  /** The object does not exist at all, as after a purge. */
  readonly isMissing?: boolean;
  /** Nothing is wrong but the lock, which must be this one; and of which version it is. */
  readonly lockDue?: { readonly versionId: string; readonly mode: Lock["mode"]; readonly until: string };
}

/** A piece of the log that is not locked. */
export interface Lockless extends Problem {
  /** When its lock ended; null if it never had one, or someone removed it. */
  readonly ended: Temporal.Instant | null;
}
