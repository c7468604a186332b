import { createHash } from "node:crypto";
import { hasCode } from "../core/error.ts";
import type { ObjectInfo, Vault } from "../vault/vault.ts";
import type { Lockless, Problem } from "./problem.ts";

/** A tile, a bundle, the checkpoint, or vault.json. */
export interface LogObject {
  readonly bytes: Uint8Array;
  readonly info: ObjectInfo;
}

/**
 * Reads an object as readers see it. If it is unusable, reports that and returns undefined; reports other faults too.
 */
export async function readLogObject(
  vault: Vault,
  key: string,
  limit: number,
  problem: (found: Problem) => void,
): Promise<LogObject | undefined> {
  try {
    const piece = await vault.read(key, limit);
    const { sha256 } = piece.info;
    if (sha256 !== null && sha256 !== createHash("sha256").update(piece.bytes).digest("hex")) {
      problem({ key, what: "its content does not match the digest noted when it was written" });
    }
    // After a crash the plain name may be behind; but a crash never leaves bytes that were not a version.
    if ((await vault.view?.(key, piece.info.versionId)) === "other")
      problem({ key, what: "the file at its normal path was never stored as a version" });
    return piece;
  } catch (error) {
    if (!hasCode(error, "vault-missing", "malformed")) throw error;
    const missing = hasCode(error, "vault-missing");
    problem({ key, what: missing ? "is missing" : "is too long, or its metadata (digest and lock) is damaged" });
    return undefined;
  }
}

/** The proof of a record must not be easier to remove than the record: it must be locked for as long. */
export function checkLocked({ info }: LogObject, now: Temporal.Instant, unlocked: (found: Lockless) => void): void {
  if (info.lock !== null && Temporal.Instant.compare(info.lock.until, now) > 0) return;
  const what = "is not locked, but is the proof of locked records";
  unlocked({ key: info.key, what, ended: info.lock?.until ?? null });
}
