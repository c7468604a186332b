import { join } from "node:path";
import * as z from "zod";
import { isUnreadable, readState, writeState } from "../io/state-file.ts";

const run = z.object({
  /** RFC 3339 UTC: the end of the last run over all identities that completed everything. */
  success: z.iso.datetime().optional(),
  /** When the daemon's next run is due. If this is in the past, the run was missed or interrupted. */
  due: z.iso.datetime().optional(),
});

/** The earliest of all sources; and each by its name, where a client has several. */
const schema = run.extend({ sources: z.record(z.string(), run).optional() });

/** What is remembered of the runs of one source. */
export type LastRun = z.output<typeof run>;

/**
 * What is remembered of a client's exports after the process ends: `<client's state>/last-export.json`. Can be deleted.
 */
export type LastExport = z.output<typeof schema>;

const pathOf = (state: string): string => join(state, "last-export.json");

/** @param state the client's own folder */
export function readLastExport(state: string): LastExport {
  return readState(pathOf(state), schema) ?? {};
}

/** Changes the given fields and keeps the others. Throws `state`. */
export function noteExport(state: string, changes: LastExport): void {
  writeState(pathOf(state), { ...readLastExport(state), ...changes });
}

/** The path of the file if it is there and cannot be read, or is damaged. */
export function unreadableLastExport(state: string): string | undefined {
  return isUnreadable(pathOf(state), schema) ? pathOf(state) : undefined;
}
