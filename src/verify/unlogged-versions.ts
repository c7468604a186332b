import type { Catalog } from "../catalog/catalog.ts";
import { HoldfastError } from "../core/error.ts";
import { FILES, RECORDS } from "../vault/layout.ts";
import type { Vault, VersionInfo } from "../vault/vault.ts";
import type { Problem } from "./problem.ts";

/** A version in the vault that no entry mentions: left by a crash, or put there by someone else. */
export interface Orphan {
  readonly key: string;
  /** Empty: bytes that lie there without being a version. */
  readonly versionId: string;
  readonly size: number;
}

/**
 * The vault against the log from the other side: lists every version of every object. One that hides or replaces what
 * the log mentions is a problem; one the log does not mention at all is an orphan, which does no harm: no run uses it,
 * and its lock ends. Bytes of a purged object that no version accounts for are a problem, too.
 */
export async function findUnlogged(
  vault: Vault,
  index: Catalog,
  signal: AbortSignal,
  check: (work: () => Promise<void>) => Promise<void>,
  problem: (found: Problem) => void,
  orphan: (found: Orphan) => void,
): Promise<void> {
  let present = "";
  let logged: string | undefined;
  /** What readers of the present key see: its newest version, or a mark that hides them all. */
  let seen: VersionInfo | undefined;
  for (const prefix of [RECORDS, FILES]) {
    for await (const version of vault.versions(prefix)) {
      const { key, versionId, size, deleteMarker } = version;
      if (key !== present) {
        if (signal.aborted) throw new HoldfastError("interrupted", "verify was interrupted");
        present = key;
        logged = index.objects.version(key);
        seen = undefined;
        if (index.purges.stateOf(key) === "done")
          problem({ key, what: "was purged, as the log says, and is there still" });
      }
      seen ??= version;
      const first = seen;
      if (!deleteMarker && versionId === logged) await check(() => checkSeen(vault, version, first, problem));
      else if (!deleteMarker) orphan({ key, versionId, size });
    }
    for await (const { key, size } of vault.remains?.(prefix) ?? []) {
      if (signal.aborted) throw new HoldfastError("interrupted", "verify was interrupted");
      if (index.purges.stateOf(key) === "done")
        problem({
          key,
          what: "was purged, as the log says, and its bytes are still there under its plain name; retention purge --confirm removes them",
        });
      // What the log promises of this key is missing, or its purge was stopped: that is told with the entry.
      else if (index.objects.version(key) === undefined) orphan({ key, versionId: "", size });
    }
  }
}

/** A version that is logged must be the one that readers see, those too who know nothing of versions. */
async function checkSeen(
  vault: Vault,
  { key, versionId }: VersionInfo,
  seen: VersionInfo,
  problem: (found: Problem) => void,
): Promise<void> {
  if (seen.deleteMarker) problem({ key, what: "is hidden by a delete marker" });
  else if (seen.versionId !== versionId) problem({ key, what: "was replaced: a newer version hides it" });
  else if (((await vault.view?.(key, versionId)) ?? "newest") !== "newest") {
    problem({ key, what: "its plain name is gone or shows something else: people and stock tools read that" });
  }
}
