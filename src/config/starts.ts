import type { RetentionStart } from "./config.ts";

/** What starts a clock, in words that follow "from". */
export const STARTS: Readonly<Record<RetentionStart, string>> = {
  created: "when the provider made the version",
  exported: "when the copy was made",
  "relationship-end": "the end of the business relationship",
  "account-closed": "the closing of the account",
};

export const START_NAMES = Object.keys(STARTS) as [RetentionStart, ...RetentionStart[]];
