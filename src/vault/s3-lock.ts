import type { Lock } from "./vault.ts";

/** How AWS and Ceph say that a version, or a bucket, has no lock. */
export const NO_LOCK = new Set(["NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"]);

/** As the store names it; null where there is none. */
export function lockFrom(mode: string | undefined, until: Date | undefined): Lock | null {
  if (mode === undefined || until === undefined) return null;
  return {
    mode: mode === "COMPLIANCE" ? "compliance" : "governance",
    until: Temporal.Instant.fromEpochMilliseconds(until.getTime()),
  };
}

/** For a PUT. */
export function lockHeaders(lock: Lock | undefined) {
  return lock ? { ObjectLockMode: modeHeader(lock), ObjectLockRetainUntilDate: date(lock.until) } : {};
}

export function modeHeader({ mode }: Lock): "GOVERNANCE" | "COMPLIANCE" {
  return mode === "compliance" ? "COMPLIANCE" : "GOVERNANCE";
}

export function date(instant: Temporal.Instant): Date {
  return new Date(instant.epochMilliseconds);
}
