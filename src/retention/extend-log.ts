import type PQueue from "p-queue";
import { VAULT_JSON } from "../vault/layout.ts";
import { covers, lockFor } from "../vault/lock.ts";
import { soonOf } from "./lock-due.ts";
import { setLock } from "./set-lock.ts";
import type { Work } from "./work.ts";

/** Every piece of the log and of the vault's description, in all its versions. */
const PIECES = [VAULT_JSON, "audit/"];

/**
 * What proves a record must not be easier to take away than the record. Every piece was locked for the `initialLock` of
 * its time when it was written, and that may have been changed since: as soon as the lock of any piece has less than
 * `extendWhenLessThan` left, all of them are extended. An interrupted run leaves one that is due. Gives how many were
 * extended.
 *
 * The catalog remembers what the store said of each, since there are thousands, and no lock gets shorter by itself.
 * Someone with the right to it may shorten one all the same, so that each is asked for again within a month.
 */
export async function extendLog(work: Work, queue: PQueue): Promise<number> {
  const { config, vault, catalog, now, holds } = work;
  const { retention } = config;
  const soon = soonOf(retention, now());
  const { pieces: known } = catalog;
  const asked = now().toString({ smallestUnit: "second" });
  known.forgetOldest();
  let isDue = false;
  await eachPiece(
    work,
    queue,
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
  // They began in governance mode, and are as old as what is left of their lock tells.
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

/** A few at once; the first failure ends it. */
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
      void queue
        .add(() => look(key, versionId))
        .catch((error: unknown) => {
          failure ??= { error };
        });
    }
  }
  await queue.onIdle();
  if (failure) throw failure.error;
}
