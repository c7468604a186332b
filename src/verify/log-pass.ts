import { decodeEntry, type Entry } from "../audit/entry.ts";
import type { Head } from "../audit/log.ts";
import { MAX_TILE, TILE_WIDTH } from "../audit/tile.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { HoldfastError, ownError } from "../core/error.ts";
import type { Replay } from "../retention/replay.ts";
import { auditKey } from "../vault/layout.ts";
import type { Vault } from "../vault/vault.ts";
import { readBundles } from "./bundles.ts";
import type { Checks } from "./checks.ts";
import type { JournalCheck } from "./journal.ts";
import type { KeyChain } from "./key-chain.ts";
import type { LockTurns } from "./lock-turns.ts";
import { checkLocked, readLogObject } from "./log-object.ts";
import type { Lockless, Problem } from "./problem.ts";
import type { StampedTimes } from "./timestamps.ts";
import type { ExpectedTile, TreeCheck } from "./tree.ts";
import { sortedText } from "./vault-description.ts";

export interface LogPass {
  readonly vault: Vault;
  readonly head: Head;
  readonly tree: TreeCheck;
  readonly keys: KeyChain;
  readonly journal: JournalCheck;
  readonly times: StampedTimes;
  readonly replay: Replay;
  readonly turns: LockTurns;
  readonly index: Catalog;
  readonly checks: Checks;
  readonly begun: Temporal.Instant;
  readonly signal: AbortSignal;
  readonly onProgress: (entries: number) => void;
  readonly problem: (found: Problem) => void;
  /** Reports an unlocked part of the log. Whether that matters is known after the whole log was read. */
  readonly unlocked: (found: Lockless) => void;
}

/**
 * Reads the log entry by entry: hashes it into the tree, replays it, and applies it to the index, which then lists all
 * that must be in the vault. Returns the number of entries, the sets of recipients that they name, and how many entries
 * this machine journaled that are not in the log yet.
 */
export async function readLog(pass: LogPass): Promise<LogRead> {
  const { vault, head, tree, keys, journal, times, replay, turns, index, checks, begun, problem, unlocked } = pass;
  const read = { entries: 0, sealedTo: new Set<string>() };
  for await (const { number, bundle, tile, entries, row } of readBundles(vault, head.size, problem)) {
    if (pass.signal.aborted) throw new HoldfastError("interrupted", "verify was interrupted");
    const first = number * TILE_WIDTH;
    const known: { index: number; entry: Entry }[] = [];
    for (const [position, bytes] of (entries ?? []).entries()) {
      const at = first + position;
      journal.check(at, bytes);
      const entry = readEntry(bytes, at, bundle?.info.key, problem);
      if (!entry) continue;
      keys.note(at, entry);
      times.note(at, entry.time);
      turns.note(at, entry);
      if (entry.type === "recipients.changed") read.sealedTo.add(sortedText(entry.to));
      known.push({ index: at, entry });
    }
    read.entries += entries?.length ?? 0;
    for (const piece of [bundle, tile]) if (piece) checkLocked(piece, begun, unlocked);
    for (const expected of tree.add(number, entries, row)) await checks.add(() => checkTile(pass, expected));
    index.applyKnown(replay.inOrder(known));
    pass.onProgress(read.entries);
  }
  tree.end();
  return { ...read, waiting: journal.end(), isConfirmed: tree.isConfirmed && read.entries === head.size };
}

/** What `readLog` found. */
export interface LogRead {
  readonly entries: number;
  readonly sealedTo: Set<string>;
  readonly waiting: number;
  /** Every entry was read and belongs under the signed checkpoint. */
  readonly isConfirmed: boolean;
}

function readEntry(
  bytes: Uint8Array,
  entry: number,
  key: string | undefined,
  problem: (found: Problem) => void,
): Entry | null {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    const own = ownError(error);
    if (own?.code !== "malformed") throw error;
    problem({ key: key ?? auditKey("tile/entries"), entry, what: own.message });
    return null;
  }
}

/** A tile above the leaves must match the entries, or the tiles below it. */
async function checkTile({ vault, begun, problem, unlocked }: LogPass, { key, bytes }: ExpectedTile): Promise<void> {
  const piece = await readLogObject(vault, key, MAX_TILE, problem);
  if (piece === undefined) return;
  checkLocked(piece, begun, unlocked);
  if (bytes.some((expected) => Buffer.compare(expected, piece.bytes) === 0)) return;
  problem({ key, what: "the tile was changed: it does not match the level below" });
}
