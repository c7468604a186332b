import { sentence } from "./printable.ts";

/**
 * Holdfast's only error class. `code` is for programs and tests, `message` and `hint` are for people.
 *
 * `message` says what failed and on what; `hint` says how to fix it. Neither may contain personal data, a provider id
 * or a secret: they are logged. This class escapes text from outside in them (a key, a path). Several lines are a list.
 * A library's own message stays in `cause`, which is never printed.
 */
export type ErrorCode =
  // The user's input.
  | "usage" // an invalid command line
  | "config" // an invalid config file or secret reference
  | "recipients" // recipients that Holdfast must not seal to
  | "secrets-unavailable" // transient: the secret store does not answer
  // The source.
  | "source-key" // 401: the API key is refused
  | "source-denied" // 403: the key lacks the right
  | "source-budget" // the config's number of requests for this month is used up
  | "source-missing" // 404 or 410
  | "source-rejected" // any other 4xx
  | "source-unavailable" // transient: 429, 5xx, connection, timeout
  | "source-response" // an answer that breaks the API's contract
  // The vault.
  | "vault-denied" // credentials or rights
  | "vault-missing" // no such object, bucket or directory
  | "vault-exists" // a conditional create found an object
  | "vault-conflict" // a compare-and-swap found another version
  | "vault-locked" // a lock or hold forbids it
  | "vault-rejected" // a request that the store refuses permanently
  | "vault-unavailable" // transient: 5xx, SlowDown, connection, timeout
  | "vault-unfit" // the store cannot keep Holdfast's promises
  // The workers' queue.
  | "queue-unavailable" // transient: Redis does not answer
  // Notifications about runs and the metrics gateway. Never ends a run.
  | "notify-unavailable" // transient: 429, 5xx, connection, timeout
  | "notify-rejected" // any other unsuccessful answer
  // The time-stamping authority.
  | "timestamp" // it is unreachable
  // The audit log.
  | "log-rejected" // an entry that the log cannot hold: too long, or invalid for its readers
  // Evidence.
  | "malformed" // data that does not parse
  | "unverified" // an invalid signature, hash or proof
  | "forked" // one log with two histories
  | "incomplete" // objects that the log promises are missing or different
  // Keys.
  | "key" // no given key opens this, or a given key is invalid
  // People.
  | "unapproved" // a second person must approve and has not
  // This machine.
  | "state" // the state directory is full, unreadable or damaged; or the clock is wrong
  | "busy" // another run holds the vault
  | "interrupted" // a person or the orchestrator asked to stop
  | "unlocked" // the vault is as its log says, but locks ran out
  | "partial" // the run finished, but records failed or are missing, or files that it asked for are withheld
  | "internal"; // a bug in Holdfast

/** Codes for which the same call may succeed later. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set([
  ...(["source-unavailable", "vault-unavailable", "queue-unavailable"] as const),
  ...(["notify-unavailable", "secrets-unavailable"] as const),
]);

/** One line or several. A line break within a line is escaped. */
type Lines = string | readonly string[];

const joined = (lines: Lines): string => [lines].flat().map(sentence).join("\n");

export class HoldfastError extends Error {
  readonly code: ErrorCode;
  /** How to fix it. */
  readonly hint: string | undefined;
  /** Of source-missing: the provider says that it is gone (410), and not only that it does not find it. */
  readonly gone: boolean;
  /** Milliseconds that the other side asked us to wait (Retry-After). */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    message: Lines,
    options: { cause?: unknown; hint?: Lines | undefined; gone?: boolean; retryAfter?: number | undefined } = {},
  ) {
    super(joined(message), { cause: options.cause });
    this.name = "HoldfastError";
    this.code = code;
    this.hint = options.hint === undefined ? undefined : joined(options.hint);
    this.gone = options.gone ?? false;
    this.retryAfter = options.retryAfter;
  }

  get transient(): boolean {
    return TRANSIENT.has(this.code);
  }
}

/**
 * The error that was thrown first: by the work or, if it succeeded, by the first close that failed. `await using` wraps
 * the errors of later closes around it. Inspect errors only through this, so that no close hides the work's error.
 */
export function firstThrown(error: unknown): unknown {
  // Some browsers that run the viewer lack SuppressedError.
  const isAround = typeof SuppressedError === "function" && error instanceof SuppressedError;
  return isAround ? firstThrown(error.suppressed) : error;
}

/** The first thrown error, if it is a HoldfastError. */
export function ownError(error: unknown): HoldfastError | undefined {
  const first = firstThrown(error);
  return first instanceof HoldfastError ? first : undefined;
}

export function isTransient(error: unknown): boolean {
  return ownError(error)?.transient ?? false;
}

/** To read such an error's message, use `ownError`: the thrown error may wrap it. */
export function hasCode(error: unknown, ...codes: ErrorCode[]): boolean {
  const own = ownError(error);
  return own !== undefined && codes.includes(own.code);
}
