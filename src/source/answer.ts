import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import { parseScanned, scanned } from "../io/exact-json.ts";

/** The maximum number of values and keys in one answer. A person with 1,000 files has some 10,000. */
const MAX_TOKENS = 100_000;
/** Later code such as JSON.stringify walks an answer recursively: some 2,000 levels overflow the stack. */
const MAX_DEPTH = 500;

const hint = "Check source.url; if it is right, the provider sent a broken answer.";

export function broken(name: string, what: string): HoldfastError {
  return new HoldfastError("source-response", `${name}: ${what}`, { hint });
}

export function tooMuch(name: string): HoldfastError {
  return broken(name, "the answer has more parts than any valid answer");
}

/** An answer parsed without loss, within bounds that no valid answer reaches. `name` is the endpoint's. */
export function parseAnswer(name: string, text: string, maxDepth = MAX_DEPTH): unknown {
  const scan = scanned(text);
  if (scan.tokens > MAX_TOKENS) throw tooMuch(name);
  if (scan.depth > maxDepth) throw broken(name, `the answer is nested more than ${maxDepth} deep`);
  try {
    return parseScanned(text, scan);
  } catch {
    // The parser's message quotes the answer, so it must not even be the cause.
    throw broken(name, "the answer is not JSON");
  }
}

export function checked<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // Field names are the API's; values stay out of the message.
  const fields = result.error.issues.map(
    (issue) => issue.path.filter((step) => typeof step === "string").join(".") || "the whole",
  );
  throw broken(name, `missing or malformed fields: ${[...new Set(fields)].join(", ")}`);
}

/** The members of an object; none for anything else. */
export function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text that is not empty, or null. */
export function word(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** An id of an API whose ids are plain. It becomes part of paths, and of names in the vault. */
export const plainId = z.string().regex(/^[A-Za-z0-9_-]{1,200}$/);

/** An instant as RFC 3339, with `Z` or an offset; to the millisecond. */
export const time = z
  .string()
  .max(100)
  .transform((text, context) => {
    try {
      const instant = Temporal.Instant.from(text);
      if (instant.epochMilliseconds >= 0 && instant.epochMilliseconds < 253_402_300_800_000)
        return Temporal.Instant.fromEpochMilliseconds(instant.epochMilliseconds).toString();
    } catch {
      // Reported below.
    }
    context.addIssue({ code: "custom", message: "not an instant" });
    return z.NEVER;
  });

/** The last of some instants; strings of one form do not compare as times do. */
export function latest(times: readonly (string | null)[]): string | null {
  return times.reduce(
    (last, time) =>
      time !== null &&
      (last === null || Temporal.Instant.compare(Temporal.Instant.from(time), Temporal.Instant.from(last)) > 0)
        ? time
        : last,
    null,
  );
}
