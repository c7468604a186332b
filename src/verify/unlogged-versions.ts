import type { Catalog } from "../catalog/catalog.ts";
import { HoldfastError } from "../core/error.ts";
import { FILES, NOTES, RECORDS } from "../vault/layout.ts";
import type { Vault, VersionInfo } from "../vault/vault.ts";
import type { Problem } from "./problem.ts";

/** A version in the vault that no entry mentions: left by a crash, or written by someone else. */
export interface Orphan {
  readonly key: string;
  /** Empty for bytes that are not a version. */
  readonly versionId: string;
  readonly size: number;
}

/**
 * Compares the vault with the log in the other direction: lists every version of every object. A version that hides or
 * replaces one in the log is a problem. One that the log never mentions is an orphan, which is harmless: no run uses
 * it, and its lock ends. One that an earlier entry stored is superseded, not an orphan. Remaining bytes of a purged object are a problem, too.
 */
export async function findUnlogged(
  vault: Vault,
  index: Catalog,
  signal: AbortSignal,
  check: (work: () => Promise<void>) => Promise<void>,
  problem: (found: Problem) => void,
  orphan: (found: Orphan) => void,
  superseded: (key: string, versionId: string) => boolean,
): Promise<void> {
  let present = "";
  let logged: string | undefined;
  /** What readers of this key see: its newest version, or a delete marker that hides all of them. */
  let seen: VersionInfo | undefined;
  for (const prefix of [RECORDS, FILES, NOTES]) {
    for await (const version of vault.versions(prefix)) {
      const { key, versionId, size, deleteMarker } = version;
      if (key !== present) {
        if (signal.aborted) throw new HoldfastError("interrupted", "verify was interrupted");
        present = key;
        logged = index.objects.version(key) ?? index.notes.get(key)?.versionId;
        seen = undefined;
        if (isPurged(index, key)) problem({ key, what: "was purged according to the log, but still exists" });
      }
      seen ??= version;
      const first = seen;
      if (!deleteMarker && versionId === logged) await check(() => checkSeen(vault, version, first, problem));
      else if (!deleteMarker && !superseded(key, versionId)) orphan({ key, versionId, size });
    }
    for await (const { key, size } of vault.remains?.(prefix) ?? []) {
      if (signal.aborted) throw new HoldfastError("interrupted", "verify was interrupted");
      if (isPurged(index, key))
        problem({
          key,
          what: "was purged according to the log, but its bytes are still at its normal path. Fix: run holdfast retention purge --confirm",
        });
      // The logged version is missing, or its purge was interrupted: both are reported with the entry.
      else if (index.objects.version(key) === undefined && index.notes.get(key) === undefined)
        orphan({ key, versionId: "", size });
    }
  }
}

function isPurged(index: Catalog, key: string): boolean {
  return index.purges.stateOf(key) === "done" || index.notes.get(key)?.state === "purged";
}

/** A logged version must be the one that readers see, also with tools that do not know versions. */
async function checkSeen(
  vault: Vault,
  { key, versionId }: VersionInfo,
  seen: VersionInfo,
  problem: (found: Problem) => void,
): Promise<void> {
  if (seen.deleteMarker) problem({ key, what: "is hidden by a delete marker" });
  else if (seen.versionId !== versionId) problem({ key, what: "was replaced: a newer version hides it" });
  else if (((await vault.view?.(key, versionId)) ?? "newest") !== "newest") {
    problem({ key, what: "the file is missing or was replaced at its normal path (the stored version survives)" });
  }
}
