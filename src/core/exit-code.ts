import { ownError } from "./error.ts";

/**
 * The exit code of a failure. --help and docs/COMMANDS.md have the table. A code that is not listed here is a general
 * failure.
 */
export function exitCode(error: unknown): number {
  switch (ownError(error)?.code) {
    case "usage":
    case "config":
    case "recipients":
    case "unapproved":
    case "key":
      return 2;
    case "partial":
    case "unlocked":
      return 3;
    case "malformed":
    case "unverified":
    case "forked":
    case "incomplete":
      return 4;
    case "busy":
      return 5;
    case "interrupted":
      return 130;
    default:
      return 1;
  }
}

/** Most severe first: damage that someone must look at, then failures of a whole client, then of single records. */
const ORDER = [4, 1, 2, 5, 130, 3];

/** The failure that decides the exit code; the first of equals. Undefined if the list is empty. */
export function gravest(errors: readonly unknown[]): unknown {
  return [...errors].sort((one, other) => ORDER.indexOf(exitCode(one)) - ORDER.indexOf(exitCode(other)))[0];
}
