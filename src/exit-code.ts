import { HoldfastError } from "./error.ts";

/** What a failure says to a shell; the table stands in --help and in the README. A code not named here is a failure. */
export function exitCode(error: unknown): number {
  if (!(error instanceof HoldfastError)) return 1;
  switch (error.code) {
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
