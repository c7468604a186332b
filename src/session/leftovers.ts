import { leftovers } from "../io/unfinished-folder.ts";
import type { Console } from "../observe/console.ts";

/** Warns about leftovers of a killed call with this --out. They do no harm, but may contain decrypted data. */
export async function warnOfLeftovers(out: string, { log }: Console): Promise<void> {
  for (const path of await leftovers(out))
    log.warn(
      `${path} is left over from an earlier call that stopped, or belongs to one still running: remove it if none is running`,
    );
}
