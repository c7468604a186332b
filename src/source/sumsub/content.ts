import { ordered } from "../ordered.ts";

/** `elapsedSincePendingMs` and the like count on by themselves. */
const ELAPSED = /^elapsed\w*Ms$/;

/** An answer as it is compared: without what changes by itself, and with arrays sorted. */
export function comparable(value: unknown): unknown {
  return ordered(value, { text: (text) => text, omits: (key) => ELAPSED.test(key) });
}
