import { join } from "node:path";
import { z } from "zod";
import { readState, writeState } from "../io/state-file.ts";

const schema = z.object({
  /** RFC 3339 UTC: the end of the last run that was about everyone and left nothing undone. */
  success: z.iso.datetime().optional(),
  /** When the daemon's next run is due. A time that has passed: that run was missed, or was cut. */
  due: z.iso.datetime().optional(),
});

/** What outlives the process about a client's exports: `<client's state>/last-export.json`. Lost, it is made again. */
export type LastExport = z.output<typeof schema>;

const pathOf = (state: string): string => join(state, "last-export.json");

/** @param state the client's own directory */
export function readLastExport(state: string): LastExport {
  return readState(pathOf(state), schema) ?? {};
}

/** Changes what is given, and leaves the rest. Throws `state`. */
export function noteExport(state: string, changes: LastExport): void {
  writeState(pathOf(state), { ...readLastExport(state), ...changes });
}
