import { createHash } from "node:crypto";
import { HoldfastError } from "../core/error.ts";

/** How long a request can be signed and used. */
export const VALID = Temporal.Duration.from({ hours: 7 * 24 });

/** When a request was made, and when it expires. */
export interface Timed {
  readonly made: Temporal.Instant;
  readonly expires: Temporal.Instant;
}

/** A request as it was read, and the bytes that a second person signs. */
export interface ReadRequest<T extends Timed = Timed> {
  readonly request: T;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** The times that every request ends with. */
export function timesOf(made: Temporal.Instant): { made: string; expires: string } {
  const time = (at: Temporal.Instant): string => at.toString({ smallestUnit: "second" });
  return { made: time(made), expires: time(made.add(VALID)) };
}

/** The text of a request. People read it before they sign it. */
export function requestText(members: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(members, null, 2)}\n`;
}

/**
 * Untrusted bytes. Throws `malformed` unless they are, to the byte, what `format` writes of what they say: people who read
 * and sign it see each member once, and none that Holdfast passes over.
 */
export function readExactly<T extends Timed>(
  bytes: Uint8Array,
  parse: (value: unknown) => T,
  format: (request: T) => string,
): ReadRequest<T> {
  try {
    const request = parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
    // This also holds `expires` to its seven days.
    if (!Buffer.from(format(request)).equals(bytes)) throw new Error("written otherwise");
    return { request, bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
  } catch (cause) {
    throw new HoldfastError("malformed", "this is not a request as Holdfast writes it", { cause });
  }
}
