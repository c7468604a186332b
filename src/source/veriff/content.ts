import "../../io/exact-json.ts";
import { ordered } from "../ordered.ts";
import type { Attempt, Members } from "./answers.ts";

/** An answer as it is compared: with arrays sorted. */
export function comparable(value: unknown): unknown {
  return ordered(value, { text: (text) => text });
}

/** Media in the order of their ids: Veriff orders them by quality. Their addresses follow from the ids. */
export function comparableMedia(members: Members): unknown {
  return ordered(members, { text: (text) => text, omits: (key) => key === "url" });
}

/** The attempts in the order of their ids, each once. */
export function comparableAttempts(members: Members, attempts: readonly Attempt[]): unknown {
  return comparable({ ...members, verifications: attempts.map(({ members: each }) => each) });
}
