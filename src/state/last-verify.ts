import { join } from "node:path";
import * as z from "zod";
import { isUnreadable, readState, writeState } from "../io/state-file.ts";

const schema = z.object({
  /** When it ended, RFC 3339 UTC. */
  time: z.iso.datetime(),
  problems: z.int().min(0),
  /** Objects that must be locked and were not. Earlier versions counted them among the problems. */
  unlocked: z.int().min(0).optional(),
  /** Objects about which the store's listing was wrong: not everything could be checked. */
  unlisted: z.int().min(0).optional(),
  /** Entries in the log. */
  entries: z.int().min(0),
  /** The percentage of objects that were read back. */
  readData: z.number().min(0).max(100),
  /** Whether another source than the vault confirmed the client's log key. Earlier versions did not note it. */
  keyTrusted: z.boolean().optional(),
  /** Of how many objects the lock was looked at. Earlier versions looked at all. */
  locks: z.object({ looked: z.int().min(0), of: z.int().min(0) }).optional(),
});

/** The result of the last `verify` on this machine: `<client's state>/last-verify.json`. */
export type LastVerify = z.output<typeof schema>;

const pathOf = (state: string): string => join(state, "last-verify.json");

/** @param state the client's own folder. Undefined if there was no verify on this machine yet. */
export function readLastVerify(state: string): LastVerify | undefined {
  return readState(pathOf(state), schema);
}

/** Throws `state`. */
export function writeLastVerify(state: string, last: LastVerify): void {
  writeState(pathOf(state), last);
}

/** The path of the file if it is there and cannot be read, or is damaged. */
export function unreadableLastVerify(state: string): string | undefined {
  return isUnreadable(pathOf(state), schema) ? pathOf(state) : undefined;
}
