import * as z from "zod";
import { timestamp } from "../../core/timestamp.ts";
import { broken, checked, list, object, parseAnswer } from "../answer.ts";
import { textWithout } from "../secrets.ts";
import { REPORTS, SESSION } from "./calls.ts";

/**
 * Answers of Stripe's API, version 2026-10-28.endive. Any member may be missing, null, or of an unknown kind. That must
 * not lose a record, since the text is kept beside what is read here. Ids are strict, because they become parts of
 * paths and of names in the vault.
 */
export const id = z.string().regex(/^[A-Za-z0-9_]{1,200}$/);

/** Unix seconds, as an instant. */
export const time = z
  .number()
  .int()
  .min(0)
  .max(253_402_300_799)
  .transform((seconds) => timestamp(Temporal.Instant.fromEpochMilliseconds(seconds * 1_000)));

export const fileId = z.string().regex(/^file_[A-Za-z0-9_]{1,195}$/);

const sessionSchema = z.object({ id, created: time });
const reportSchema = z.object({ id, created: time, verification_session: id.nullish() });
const listSchema = z.object({ data: z.array(z.unknown()), has_more: z.boolean() });

export type Members = Readonly<Record<string, unknown>>;

/** What Stripe writes in place of every string that it redacted. */
const REDACTED = "[redacted]";

export interface VerificationSession {
  readonly id: string;
  readonly created: string;
  /** The later of the session and of its last report: nothing else has a time. */
  readonly updated: string;
  /** The last report, if it is expanded. */
  readonly last: Members;
  /** A redaction was asked for. Its stages are `validated`, `processing` and `redacted`. */
  readonly redacted: boolean;
  /** As it came. */
  readonly members: Members;
}

export interface VerificationReport {
  readonly id: string;
  readonly created: string;
  readonly members: Members;
}

export function sessionOf(name: string, value: unknown): VerificationSession {
  const read = checked(name, sessionSchema, value);
  const members = object(value);
  const last = object(members.last_verification_report);
  const reported = time.safeParse(last.created).data ?? read.created;
  const [updated = read.created] = [read.created, reported].toSorted().reverse();
  return { ...read, updated, last, redacted: members.redaction != null, members };
}

export function parseSession(text: string, wanted: string): VerificationSession {
  const session = sessionOf(SESSION, parseAnswer(SESSION, text));
  if (session.id !== wanted) throw broken(SESSION, "the answer is for another session");
  return session;
}

/** A page of the reports of a session. */
export function parseReports(
  text: string,
  session: string,
): { reports: VerificationReport[]; more: boolean; frame: Members } {
  const value = parseAnswer(REPORTS, text);
  const { data, has_more: more } = checked(REPORTS, listSchema, value);
  const reports = data.map((value) => {
    const report = checked(REPORTS, reportSchema, value);
    if (report.verification_session != null && report.verification_session !== session)
      throw broken(REPORTS, "the answer has a report of another session");
    return { id: report.id, created: report.created, members: object(value) };
  });
  if (more && reports.length === 0) throw broken(REPORTS, "a page has no id to continue from");
  return { reports, more, frame: object(value) };
}

/** A text that is neither empty nor redacted, or null. */
export function told(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value !== REDACTED ? value : null;
}

/** `{day, month, year}` as 1990-05-31. Stripe writes 1-1-1 for a day that it redacted. */
export function dayOf(value: unknown): string | null {
  const { day, month, year } = object(value);
  if (typeof day !== "number" || typeof month !== "number" || typeof year !== "number" || year <= 1) return null;
  try {
    return Temporal.PlainDate.from({ year, month, day }, { overflow: "reject" }).toString();
  } catch {
    return null;
  }
}

export function fileIds(value: unknown): string[] {
  return list(value).flatMap((one) => fileId.safeParse(one).data ?? []);
}

/**
 * Members of a session that let anyone continue the person's check. While a session waits for input, Stripe makes them
 * again for each answer.
 */
const SECRET = new Set(["url", "client_secret"]);

/** The session without its secrets. */
export function withoutSecrets(session: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(session).map(([name, value]) => [name, SECRET.has(name) ? null : value]));
}

/** The text of a session without its secrets. Metadata may have members of the same name. */
export function textWithoutSecrets(text: string): string {
  return textWithout(text, (path) => path.length === 1 && SECRET.has(path[0]!));
}
