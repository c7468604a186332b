import type PQueue from "p-queue";
import { CHECKPOINT, VAULT_JSON } from "../vault/layout.ts";
import { lockFor } from "../vault/lock.ts";
import type { VersionInfo } from "../vault/vault.ts";
import { lengthen } from "./lengthen.ts";
import type { Work } from "./work.ts";

const LOG = "audit/";

/**
 * What proves a record must not be easier to take away than the record. Every piece of the log and of the vault's
 * description was locked for `initialLock` when it was written, so the oldest checkpoint's lock ends first of all, and
 * says when they are due: all of them then, and that one last, so that an interrupted run is seen and done again.
 * Gives how many were extended.
 */
export async function extendLog({ vault, mode, retention, now, holds, signal }: Work, queue: PQueue): Promise<number> {
  const oldest = await oldestVersion(vault.versions(CHECKPOINT));
  if (oldest === undefined) return 0;
  const { lock: is } = await vault.head(oldest.key, oldest.versionId);
  const soon = now().toZonedDateTimeISO("UTC").add(retention.extendWhenLessThan).toInstant();
  if (is !== null && Temporal.Instant.compare(is.until, soon) >= 0) return 0;
  const lock = lockFor(mode, retention.initialLock, now());
  // They began in governance mode, and are as old as what is left of their lock tells.
  const harden = retention.coolingOff !== undefined;
  let pieces = 0;
  let failure: { readonly error: unknown } | undefined;
  for (const prefix of [VAULT_JSON, LOG]) {
    for await (const { key, versionId, deleteMarker } of vault.versions(prefix)) {
      if (deleteMarker || (key === oldest.key && versionId === oldest.versionId)) continue;
      signal.throwIfAborted();
      if (failure) throw failure.error;
      pieces += 1;
      await queue.onSizeLessThan(queue.concurrency * 2);
      void queue
        .add(() => {
          holds();
          return lengthen(vault, key, versionId, lock, { harden });
        })
        .catch((error: unknown) => {
          failure ??= { error };
        });
    }
  }
  await queue.onIdle();
  if (failure) throw failure.error;
  await lengthen(vault, oldest.key, oldest.versionId, lock, { harden });
  return pieces + 1;
}

async function oldestVersion(versions: AsyncIterable<VersionInfo>): Promise<VersionInfo | undefined> {
  let oldest: VersionInfo | undefined;
  for await (const version of versions) {
    if (version.key === CHECKPOINT && !version.deleteMarker) oldest = version;
  }
  return oldest;
}
