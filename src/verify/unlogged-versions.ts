import type { Catalog } from "../catalog/catalog.ts";
import { HoldfastError } from "../core/error.ts";
import type { Vault } from "../vault/vault.ts";
import type { Match } from "./merge.ts";
import type { Problem } from "./problem.ts";

/** A version in the vault that no entry mentions: left by a crash, or written by someone else. */
export interface Orphan {
  readonly key: string;
  /** Empty for bytes that are not a version. */
  readonly versionId: string;
  readonly size: number;
}

/** What is in the vault and not in the log. */
export interface UnloggedCheck {
  readonly vault: Vault;
  readonly index: Catalog;
  readonly problem: (found: Problem) => void;
  /** Harmless: no run uses it, and its lock ends. */
  readonly orphan: (found: Orphan) => void;
}

/** Nothing of a purged object may be listed. */
export function checkPurged({ index, problem }: UnloggedCheck, { key, expected, seen }: Match): void {
  if (seen === undefined || expected?.present) return;
  if (isPurged(index, key)) problem({ key, what: "was purged according to the log, but still exists" });
}

/** The logged version must be the one that readers see, also with tools that do not know versions. */
export async function checkSeen(
  { vault, problem }: UnloggedCheck,
  { key, seen }: Pick<Match, "key" | "seen">,
  versionId: string,
): Promise<void> {
  if (seen?.deleteMarker) problem({ key, what: "is hidden by a delete marker" });
  else if (seen?.versionId !== versionId) problem({ key, what: "was replaced: a newer version hides it" });
  else if (((await vault.view?.(key, versionId)) ?? "newest") !== "newest") {
    problem({ key, what: "the file is missing or was replaced at its normal path (the stored version survives)" });
  }
}

/** Bytes of keys without versions, which only a directory can have. */
export async function checkRemains(
  { vault, index, problem, orphan }: UnloggedCheck,
  prefix: string,
  signal: AbortSignal,
): Promise<void> {
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

function isPurged(index: Catalog, key: string): boolean {
  return index.purges.stateOf(key) === "done" || index.notes.get(key)?.state === "purged";
}
