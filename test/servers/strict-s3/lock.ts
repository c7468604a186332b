import type { IncomingHttpHeaders } from "node:http";
import { textOf } from "./answer.ts";
import { Refusal } from "./refusal.ts";

export interface Retention {
  readonly mode: "GOVERNANCE" | "COMPLIANCE";
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface Locked {
  retention: Retention | null;
  hold: boolean;
}

const PREFIX = "x-amz-object-lock-";
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** The lock and hold that a write's headers ask for. */
export function lockOfHeaders(headers: IncomingHttpHeaders, bucketLocks: boolean, now: number): Locked {
  const mode = headers[`${PREFIX}mode`];
  const until = headers[`${PREFIX}retain-until-date`];
  const hold = headers[`${PREFIX}legal-hold`];
  if (mode === undefined && until === undefined && hold === undefined) return { retention: null, hold: false };
  if (!bucketLocks) throw new Refusal(400, "InvalidRequest", "Bucket is missing Object Lock Configuration");
  if ((mode === undefined) !== (until === undefined)) {
    throw new Refusal(400, "InvalidArgument", "lock mode and retain-until date must both be supplied");
  }
  if (hold !== undefined && hold !== "ON" && hold !== "OFF") throw new Refusal(400, "InvalidArgument", "legal hold");
  return {
    retention: mode === undefined ? null : retention(String(mode), String(until), now),
    hold: hold === "ON",
  };
}

/** The lock that a PutObjectRetention's body asks for. Null removes the lock. */
export function lockOfXml(xml: string, now: number): Retention | null {
  const mode = textOf(xml, "Mode");
  const until = textOf(xml, "RetainUntilDate");
  if (mode === undefined && until === undefined) return null;
  if (mode === undefined || until === undefined) throw new Refusal(400, "MalformedXML");
  return retention(mode, until, now);
}

function retention(mode: string, date: string, now: number): Retention {
  if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE") throw new Refusal(400, "InvalidArgument", "unknown lock mode");
  const until = DATE.test(date) ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(until)) throw new Refusal(400, "InvalidArgument", "the date is not ISO 8601");
  if (until <= now) throw new Refusal(400, "InvalidArgument", "The retain until date must be in the future!");
  return { mode, until: Math.floor(until / 1000) * 1000 };
}

/**
 * Checks whether a version's retention may become `next`. Extending is allowed. Shortening or removing needs governance
 * mode and the bypass. Every possible change of mode needs the bypass.
 */
export function checkChange(current: Retention | null, next: Retention | null, bypass: boolean, now: number): void {
  if (current === null || current.until <= now) return;
  const longer = next !== null && next.mode === current.mode && next.until >= current.until;
  if (longer || (current.mode === "GOVERNANCE" && bypass)) return;
  throw new Refusal(403, "AccessDenied", "Access Denied because object protected by object lock.");
}

export function checkRemoval({ retention: held, hold }: Locked, bypass: boolean, now: number): void {
  if (!hold && (held === null || held.until <= now || (held.mode === "GOVERNANCE" && bypass))) return;
  throw new Refusal(403, "AccessDenied", "Access Denied because object protected by object lock.");
}

export function bypasses(headers: IncomingHttpHeaders): boolean {
  return headers["x-amz-bypass-governance-retention"] === "true";
}

export function lockHeaders({ retention: held, hold }: Locked): Record<string, string> {
  return {
    ...(held ? { [`${PREFIX}mode`]: held.mode, [`${PREFIX}retain-until-date`]: isoDate(held.until) } : {}),
    ...(hold ? { [`${PREFIX}legal-hold`]: "ON" } : {}),
  };
}

export function isoDate(ms: number): string {
  return new Date(ms).toISOString();
}
