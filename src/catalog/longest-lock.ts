import { bytesOf, modeNumber } from "./packing.ts";

/** No store shortens or softens a lock: of all locks in the log, the longest and hardest counts, in any order. */
export const EXTENDED = `locked_until = max(locked_until, ${bytesOf()}), lock_mode = max(lock_mode, ${modeNumber()})`;

/** An object that is logged again keeps the longest and hardest lock promised for it. */
export const SAME_OBJECT = `
  locked_until = CASE WHEN object_version = excluded.object_version
    THEN max(locked_until, excluded.locked_until) ELSE excluded.locked_until END,
  lock_mode = CASE WHEN object_version = excluded.object_version
    THEN max(lock_mode, excluded.lock_mode) ELSE excluded.lock_mode END,
  object_version = excluded.object_version`;
