import { hasCode } from "../core/error.ts";
import type { HeldVault } from "../held/held-vault.ts";
import { errorFields } from "../observe/log.ts";
import type { Session } from "./client.ts";
import { extendHeld, type LocksOptions, locksText } from "./retention-work.ts";
import type { Ended } from "./watch.ts";

/** What came of the locks that an export extended. */
export type ExportLocks = Pick<Ended, "locks" | "lockFailure">;

/** Extends the locks that are due, and reports it at once. A failure is logged and returned: it must not stop the export. */
export async function extendDue(
  held: HeldVault,
  session: Session,
  run: string,
  options?: LocksOptions,
): Promise<ExportLocks> {
  const { console, signal } = session;
  const client = held.config.id;
  try {
    const locks = await extendHeld(held, session, run, options);
    if (locks.objects + locks.pieces + locks.failed > 0) console.say(`${client}: ${locksText(locks)}`);
    return { locks };
  } catch (error) {
    // The export itself reports an interruption.
    if (signal.aborted) return {};
    if (hasCode(error, "busy")) throw error;
    console.log.error("locks not extended", { client, run, ...errorFields(error) });
    return { lockFailure: error };
  }
}

/** The total of both attempts; failures are those of the second. */
export function addLocks(first: ExportLocks, then: ExportLocks): ExportLocks {
  if (then.lockFailure) return then;
  if (!then.locks) return first;
  if (!first.locks) return then;
  const { subjects, objects, pieces } = first.locks;
  return {
    locks: {
      subjects: subjects + then.locks.subjects,
      objects: objects + then.locks.objects,
      pieces: pieces + then.locks.pieces,
      failed: then.locks.failed,
    },
  };
}
