import type { Lock } from "./vault.ts";

/** Errors with which AWS and Ceph report that a version or bucket has no lock. */
export const NO_LOCK = new Set(["NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"]);

/** Reads the store's lock fields. Null if there is no lock. */
export function lockFrom(mode: string | undefined, until: Date | undefined): Lock | null {
  if (mode === undefined || until === undefined) return null;
  return {
    mode: mode === "COMPLIANCE" ? "compliance" : "governance",
    until: Temporal.Instant.fromEpochMilliseconds(until.getTime()),
  };
}

/** Lock headers of a PUT. */
export function lockHeaders(lock: Lock | undefined) {
  return lock ? { ObjectLockMode: modeHeader(lock), ObjectLockRetainUntilDate: date(lock.until) } : {};
}

export function modeHeader({ mode }: Lock): "GOVERNANCE" | "COMPLIANCE" {
  return mode === "compliance" ? "COMPLIANCE" : "GOVERNANCE";
}

export function date(instant: Temporal.Instant): Date {
  return new Date(instant.epochMilliseconds);
}
