import { createHash, type X509Certificate } from "node:crypto";
import { ahead } from "../ahead.ts";
import type { Head } from "../audit/log.ts";
import { checkTimestamp } from "../audit/timestamp/check.ts";
import { MAX_TOKEN, parseToken } from "../audit/timestamp/token.ts";
import { HoldfastError, hasCode } from "../error.ts";
import { TIMESTAMPS, timestampKey } from "../vault/layout.ts";
import type { Vault } from "../vault/vault.ts";
import type { Kept } from "./history.ts";
import { checkLocked, readPiece } from "./piece.ts";
import type { Problem } from "./problem.ts";

/** What the time stamps in a vault prove. */
export interface TimestampReport {
  readonly tokens: number;
  /** Whether they were held against trusted certificates; else they are the vault's own word. */
  readonly trusted: boolean;
  /** The one of the largest checkpoint: the log's first `size` entries existed at this time, RFC 3339 UTC. */
  readonly newest?: { readonly size: number; readonly time: string };
}

export interface TimestampCheck {
  readonly vault: Vault;
  readonly head: Head;
  readonly earlier: readonly Kept[];
  /** Certificates that an authority's must lead to. */
  readonly anchors: readonly X509Certificate[] | undefined;
  /** When they must be locked. */
  readonly due: Temporal.Instant | undefined;
}

const AT_ONCE = 8;

/** Every time stamp is of a checkpoint that the vault keeps, good, and locked as the log is. That none was taken away is not seen. */
export async function checkTimestamps(
  { vault, head, earlier, anchors, due }: TimestampCheck,
  problem: (found: Problem) => void,
): Promise<TimestampReport> {
  const present = { size: head.size, sha256: createHash("sha256").update(head.note).digest("hex") };
  const kept = [...earlier, present];
  let tokens = 0;
  let newest: TimestampReport["newest"];
  const checked = ahead(keys(vault, head.size, problem), AT_ONCE, async (key) => {
    const piece = await readPiece(vault, key, MAX_TOKEN, problem);
    if (piece === undefined) return undefined;
    if (due) checkLocked(piece, due, problem);
    try {
      const { imprint, time } = parseToken(piece.bytes);
      const stamped = kept.find(({ size, sha256 }) => sha256 === imprint && timestampKey(size) === key);
      if (stamped === undefined) throw new HoldfastError("unverified", "stamps no checkpoint that the vault keeps");
      if (anchors) checkTimestamp(piece.bytes, { digest: imprint, anchors });
      return { size: stamped.size, time };
    } catch (error) {
      if (!hasCode(error, "malformed", "unverified")) throw error;
      problem({ key, what: error.message });
      return undefined;
    }
  });
  for await (const good of checked) {
    if (good === undefined) continue;
    tokens += 1;
    if (newest === undefined || good.size > newest.size) newest = good;
  }
  return { tokens, trusted: anchors !== undefined, ...(newest && { newest }) };
}

/** Those of checkpoints up to the head: one beyond it is of a run that is under way. */
async function* keys(vault: Vault, most: number, problem: (found: Problem) => void): AsyncGenerator<string> {
  let present = "";
  for await (const { key, deleteMarker } of vault.versions(TIMESTAMPS)) {
    if (key === present) continue;
    present = key;
    const size = /^(\d+)\.tsr$/.exec(key.slice(TIMESTAMPS.length))?.[1];
    if (deleteMarker) problem({ key, what: "was hidden by a delete marker" });
    else if (size === undefined) problem({ key, what: "is no time stamp" });
    else if (Number(size) <= most) yield key;
  }
}
