import PQueue from "p-queue";
import { VAULT_JSON } from "../vault/layout.ts";
import { covers, lockFor } from "../vault/lock.ts";
import { inTurn } from "./in-turn.ts";
import { soonOf } from "./lock-due.ts";
import { setLock } from "./set-lock.ts";
import type { Work } from "./work.ts";

/** All parts of the log, and the vault's description, in all their versions. */
const PIECES = [VAULT_JSON, "audit/"];

/**
 * The proof of a record must not be easier to remove than the record. Each part was locked for the `initialLock` in
 * effect when it was written, which may have changed since. As soon as the lock of any part has less than
 * `extendWhenLessThan` left, this extends them all. If it is interrupted, at least one part is still due. Returns how
 * many were extended.
 *
 * There are thousands of parts, and locks do not get shorter by themselves, so the catalog remembers what the store
 * said of each, and with which lock a run wrote it. Someone with the right to may still shorten one, so each is checked
 * again within a month.
 */
export async function extendLog(work: Work, queue: PQueue): Promise<number> {
  const { config, vault, catalog, now, holds } = work;
  const { retention } = config;
  const soon = soonOf(retention, now());
  const { pieces: known } = catalog;
  const asked = now().toString({ smallestUnit: "second" });
  known.forgetOldest();
  let isDue = false;
  // Looking is not bound to the rate of locks: most pieces cost nothing.
  const looking = new PQueue({ concurrency: config.vault.concurrency });
  await eachPiece(
    work,
    looking,
    async (key, versionId) => {
      if (isDue) return;
      const until = known.until(key, versionId);
      if (until !== undefined && Temporal.Instant.compare(until, soon) >= 0) return;
      const is = await vault.lockOf(key, versionId);
      if (is === null || Temporal.Instant.compare(is.until, soon) < 0) isDue = true;
      else known.note(key, versionId, is.until.toString(), asked);
    },
    () => isDue,
  );
  if (!isDue) return 0;
  const lock = lockFor(config.vault.lock, retention.initialLock, now());
  // They started in governance mode and may be old enough to harden: the time left on their lock shows their age.
  const harden = retention.coolingOff !== undefined;
  let pieces = 0;
  await eachPiece(work, queue, async (key, versionId) => {
    const is = await vault.lockOf(key, versionId);
    if (!covers(is, lock)) {
      holds();
      known.forget(key, versionId);
      await setLock(vault, key, versionId, lock, { harden });
      pieces += 1;
    }
    const until = is !== null && Temporal.Instant.compare(is.until, lock.until) > 0 ? is.until : lock.until;
    known.note(key, versionId, until.toString(), asked);
  });
  return pieces;
}

/** Works on a few parts at once; the first failure ends it. */
async function eachPiece(
  { vault, signal }: Work,
  queue: PQueue,
  look: (key: string, versionId: string) => Promise<void>,
  isDone: () => boolean = () => false,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  for (const prefix of PIECES) {
    for await (const { key, versionId, deleteMarker } of vault.versions(prefix)) {
      if (deleteMarker) continue;
      signal.throwIfAborted();
      if (failure || isDone()) break;
      await queue.onSizeLessThan(queue.concurrency * 2);
      void inTurn(queue, signal, () => look(key, versionId)).catch((error: unknown) => {
        failure ??= { error };
      });
    }
  }
  await queue.onIdle();
  signal.throwIfAborted();
  if (failure) throw failure.error;
}
