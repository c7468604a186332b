import { rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { readState, writeState } from "../io/state-file.ts";

const schema = z.object({
  /** The vault and its log: a replica's locks are others. */
  of: z.string(),
  time: z.iso.datetime(),
  entries: z.int().min(0),
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  faulty: z.array(z.string()),
});

/**
 * When `verify` looked at the locks in a vault: `<client's state>/locks-looked-at.json`. Can be deleted: then the next
 * `verify` looks at all of them.
 */
export type LocksLookedAt = z.output<typeof schema>;

const pathOf = (state: string): string => join(state, "locks-looked-at.json");

/**
 * @param state the client's own folder
 * @param of the vault and its log; what is remembered of another is not used
 */
export function readLocksLookedAt(state: string, of: string): LocksLookedAt | undefined {
  const last = readState(pathOf(state), schema);
  return last?.of === of ? last : undefined;
}

/** Forgets everything if not all of it is known. Throws `state`. */
export function writeLocksLookedAt(state: string, last: Partial<LocksLookedAt>): void {
  if (schema.safeParse(last).success) writeState(pathOf(state), last);
  else rmSync(pathOf(state), { force: true });
}
