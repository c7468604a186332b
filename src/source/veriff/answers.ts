import * as z from "zod";
import { broken, checked, list, object, parseAnswer, plainId, time } from "../answer.ts";
import { ATTEMPTS, DECISION, MEDIA } from "./calls.ts";

/**
 * Answers of Veriff's Public API v1. Which members there are depends on the integration, and any may be null. That must
 * not lose a record, since the exact text is kept beside what is read here.
 */
/** Deeper than any answer of the API; sorting arrays walks an answer recursively. */
const MAX_DEPTH = 100;

export type Members = Readonly<Record<string, unknown>>;

export const parsed = (name: string, text: string): unknown => parseAnswer(name, text, MAX_DEPTH);

/** The id of a session. In capitals it would be another identity. */
export const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

export interface Decision {
  /** Null while there is no result. */
  readonly verification: Members | null;
  /** The whole answer. */
  readonly members: Members;
}

const decision = z.object({ verification: z.record(z.string(), z.unknown()).nullable() });

export function parseDecision(text: string, session: string): Decision {
  const value = parsed(DECISION, text);
  const { verification } = checked(DECISION, decision, value);
  // Older integrations answer an empty object in place of null.
  const isThere = verification !== null && Object.keys(verification).length > 0;
  if (isThere && verification.id !== session) throw broken(DECISION, "the answer is for another session");
  return { verification: isThere ? object(object(value).verification) : null, members: object(value) };
}

export interface Attempt {
  readonly id: string;
  readonly created: string | null;
  readonly members: Members;
}

/** The attempts, each once, by id: they may come twice, and one of the two may lack members. */
export function parseAttempts(text: string): { attempts: readonly Attempt[]; members: Members } {
  const members = object(parsed(ATTEMPTS, text));
  if (!Array.isArray(members.verifications)) throw broken(ATTEMPTS, "the answer has no list of attempts");
  const merged = new Map<string, Members>();
  for (const each of members.verifications.map(object)) {
    const { success, data: id } = plainId.safeParse(each.id);
    if (success) merged.set(id, { ...merged.get(id), ...each });
  }
  const attempts = [...merged].map(([id, each]) => ({ id, created: timeIn(each.createdTime), members: each }));
  return { attempts: attempts.sort(byId), members };
}

export const byId = (one: { id: string }, other: { id: string }): number => (one.id < other.id ? -1 : 1);

export interface Medium {
  readonly id: string;
  readonly context: unknown;
}

/** What an earlier session may have, and this one lists to compare with. */
const REFERENCE = "face-reference";

/** The media of an attempt, each once. */
export function parseMedia(text: string, session: string): { media: readonly Medium[]; members: Members } {
  const members = object(parsed(MEDIA, text));
  if (!Array.isArray(members.images)) throw broken(MEDIA, "the answer has no list of images");
  const all = [members.images, members.videos, members.nfcDocuments].flatMap(list).map(object);
  const media = all.flatMap(({ id, context, sessionId }) => {
    if (typeof sessionId === "string" && sessionId !== session && context !== REFERENCE)
      throw broken(MEDIA, "the answer is for another session");
    const read = plainId.safeParse(id);
    return read.success ? [[read.data, { id: read.data, context }] as const] : [];
  });
  const own = all.filter(({ context }) => context !== REFERENCE);
  // An attempt's id says nothing of whose it is: only its media do. One of them may lack a member.
  if (own.length > 0 && own.every(({ sessionId }) => sessionId !== session))
    throw broken(MEDIA, "no medium names the session");
  return { media: [...new Map(media).values()], members };
}

/** The instant in a member, or null. */
export function timeIn(value: unknown): string | null {
  return time.safeParse(value).data ?? null;
}
