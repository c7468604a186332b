import { createHash } from "node:crypto";
import { hasCode } from "../core/error.ts";
import type { ObjectInfo, Vault } from "../vault/vault.ts";
import type { Problem } from "./problem.ts";

/** An object that the vault keeps of itself: a tile, a bundle, the checkpoint, vault.json. */
export interface LogObject {
  readonly bytes: Uint8Array;
  readonly info: ObjectInfo;
}

/** Reads one as readers see it. Undefined, and told, where it cannot be used; what is wrong besides is told too. */
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
      problem({ key, what: "its bytes and the digest noted when they were written differ" });
    }
    // After a crash its plain name may lag behind; bytes that were never a version of it do not come of a crash.
    if ((await vault.view?.(key, piece.info.versionId)) === "other")
      problem({ key, what: "its plain name shows what was never stored" });
    return piece;
  } catch (error) {
    if (!hasCode(error, "vault-missing", "malformed")) throw error;
    const missing = hasCode(error, "vault-missing");
    problem({ key, what: missing ? "is missing" : "is too long, or its note of digest and lock is damaged" });
    return undefined;
  }
}

/** What proves a record must not be easier to take away than the record: locked as long as that must be. */
export function checkLocked({ info }: LogObject, now: Temporal.Instant, problem: (found: Problem) => void): void {
  if (info.lock !== null && Temporal.Instant.compare(info.lock.until, now) > 0) return;
  problem({ key: info.key, what: "is not locked, and records that it proves must be" });
}
