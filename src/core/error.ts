import { sentence } from "./printable.ts";

/**
 * The one error of Holdfast. `code` is for programs and tests, `message` and `hint` are for people.
 *
 * A message says what failed and on what; `hint` says what to do about it. Neither may hold personal data,
 * a provider id or a secret: they are logged. Text from outside in them (a key, a path) is made safe here; lines are a list. Whatever a library said stays in `cause`, which is never printed.
 */
export type ErrorCode =
  // The person's own input.
  | "usage" // a command line that cannot be meant
  | "config" // a config file or secret reference that cannot be used
  | "recipients" // recipients that must not be sealed to
  | "secrets-unavailable" // transient: the store of secrets does not answer
  // The source.
  | "source-key" // 401: the API key is refused
  | "source-denied" // 403: the key lacks the right
  | "source-missing" // 404
  | "source-rejected" // any other 4xx
  | "source-unavailable" // transient: 429, 5xx, connection, timeout
  | "source-response" // an answer that is not what the API promises
  // The vault.
  | "vault-denied" // credentials or rights
  | "vault-missing" // no such object, bucket or directory
  | "vault-exists" // a conditional create met an object
  | "vault-conflict" // a compare-and-swap lost
  | "vault-locked" // the lock forbids it
  | "vault-rejected" // a request the store refuses for good
  | "vault-unavailable" // transient: 5xx, SlowDown, connection, timeout
  | "vault-unfit" // the store cannot keep what Holdfast promises
  // The workers' meeting place.
  | "queue-unavailable" // transient: Redis does not answer
  // Who is told of runs, and the metrics' gateway. Never thrown out of a run.
  | "notify-unavailable" // transient: 429, 5xx, connection, timeout
  | "notify-rejected" // any other answer but success
  // The time-stamping authority.
  | "timestamp" // it cannot be had
  // The audit log.
  | "log-rejected" // an entry that the log cannot hold: too long, or not what its readers accept
  // Evidence.
  | "malformed" // stored bytes do not parse
  | "unverified" // a signature, hash or proof does not check
  | "forked" // two histories of one log
  | "incomplete" // the vault lacks, or holds otherwise, what the log promises
  // Keys.
  | "key" // no key given opens this, or what was given is no key
  // People.
  | "unapproved" // a second person has to agree, and has not
  // This machine.
  | "state" // the state directory: full, unreadable, damaged; a clock that is wrong
  | "busy" // another run holds the vault
  | "interrupted" // a person or the orchestrator asked to stop
  | "partial" // the run ended, and some records failed
  | "internal"; // a defect of Holdfast

/** Codes for which the same call may succeed a little later. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set([
  ...(["source-unavailable", "vault-unavailable", "queue-unavailable"] as const),
  ...(["notify-unavailable", "secrets-unavailable"] as const),
]);

/** A line, or several: a line break inside of one is no line break. */
type Lines = string | readonly string[];

const joined = (lines: Lines): string => [lines].flat().map(sentence).join("\n");

export class HoldfastError extends Error {
  readonly code: ErrorCode;
  /** What the person can do about it. */
  readonly hint: string | undefined;
  /** Milliseconds the other side asked us to wait (Retry-After). */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    message: Lines,
    options: { cause?: unknown; hint?: Lines | undefined; retryAfter?: number | undefined } = {},
  ) {
    super(joined(message), { cause: options.cause });
    this.name = "HoldfastError";
    this.code = code;
    this.hint = options.hint === undefined ? undefined : joined(options.hint);
    this.retryAfter = options.retryAfter;
  }

  get transient(): boolean {
    return TRANSIENT.has(this.code);
  }
}

/**
 * What was thrown first: by the work, or after its success by the first close that failed. `await using` wraps the
 * error of each later close around it. Code that asks what an error is must ask here, so that no close hides what the
 * work threw.
 */
export function firstThrown(error: unknown): unknown {
  // Not every browser that the viewer runs in has it.
  const isAround = typeof SuppressedError === "function" && error instanceof SuppressedError;
  return isAround ? firstThrown(error.suppressed) : error;
}

/** The error of Holdfast that was thrown first, if it is one. */
export function ownError(error: unknown): HoldfastError | undefined {
  const first = firstThrown(error);
  return first instanceof HoldfastError ? first : undefined;
}

export function isTransient(error: unknown): boolean {
  return ownError(error)?.transient ?? false;
}

/** To read what such an error says, take it from `ownError`: what was thrown may wrap it. */
export function hasCode(error: unknown, ...codes: ErrorCode[]): boolean {
  const own = ownError(error);
  return own !== undefined && codes.includes(own.code);
}
