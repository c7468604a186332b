import { ownError } from "./error.ts";

/** What a failure says to a shell; the table stands in --help and in the README. A code not named here is a failure. */
export function exitCode(error: unknown): number {
  switch (ownError(error)?.code) {
    case "usage":
    case "config":
    case "recipients":
    case "unapproved":
      return 2;
    case "partial":
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

/** From the gravest on: damage someone must look at, then what kept a whole client from its turn, then single records. */
const ORDER = [4, 1, 2, 5, 130, 3];

/** Of several failures the one that the exit code tells; of equal ones the first. Undefined where there is none. */
export function gravest(errors: readonly unknown[]): unknown {
  return [...errors].sort((one, other) => ORDER.indexOf(exitCode(one)) - ORDER.indexOf(exitCode(other)))[0];
}
