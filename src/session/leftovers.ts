import { leftovers } from "../io/unfinished-folder.ts";
import type { Console } from "../observe/console.ts";

/** Says what an earlier call for this --out left, which was killed. It does no harm, but may be decrypted data. */
export async function warnOfLeftovers(out: string, { log }: Console): Promise<void> {
  for (const path of await leftovers(out))
    log.warn(`${path} is what an earlier call left, or one that is still at work: remove it in the first case`);
}
