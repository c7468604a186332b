import { join } from "node:path";
import { z } from "zod";
import { readState, writeState } from "../io/state-file.ts";

const schema = z.object({
  /** RFC 3339 UTC, its end. */
  time: z.iso.datetime(),
  problems: z.int().min(0),
  /** Of the log. */
  entries: z.int().min(0),
  /** Percent of the objects that were read back. */
  readData: z.number().min(0).max(100),
  /** Whether anyone but the vault said that the log key is this client's. Earlier versions did not note it. */
  keyTrusted: z.boolean().optional(),
});

/** What `verify` found last on this machine, for whoever asks how long ago that was: `<client's state>/last-verify.json`. */
export type LastVerify = z.output<typeof schema>;

const pathOf = (state: string): string => join(state, "last-verify.json");

/** @param state the client's own directory. Undefined where no one verified here yet. */
export function readLastVerify(state: string): LastVerify | undefined {
  return readState(pathOf(state), schema);
}

/** Throws `state`. */
export function writeLastVerify(state: string, last: LastVerify): void {
  writeState(pathOf(state), last);
}
