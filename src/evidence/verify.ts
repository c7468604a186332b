import { createHash, randomInt } from "node:crypto";
import PQueue from "p-queue";
import { decodeEntry, type RecordStored } from "../audit/entry.ts";
import { Frontier } from "../audit/frontier.ts";
import type { AuditLog, Head } from "../audit/log.ts";
import { leafHash } from "../audit/merkle.ts";
import { parseTilePath, TILE_WIDTH } from "../audit/tile.ts";
import type { Clock } from "../clock.ts";
import { HoldfastError, hasCode } from "../error.ts";
import { auditKey } from "../vault/layout.ts";
import type { Vault } from "../vault/vault.ts";

export interface VerifyOptions {
  readonly vault: Vault;
  readonly log: AuditLog;
  readonly head: Head;
  readonly now: Clock;
  /** Requests in flight. */
  readonly concurrency: number;
  /** Share of the objects, 0 to 100, whose content is read and hashed. */
  readonly readData: number;
  readonly signal: AbortSignal;
  onProgress(entries: number, total: number, problems: number): void;
  onProblem(problem: Problem): void;
}

export interface Problem {
  /** What it is about: an object's key or a tile's. */
  readonly key: string;
  /** The log entry that promises otherwise. */
  readonly entry?: number;
  readonly what: string;
}

export interface VerifyReport {
  readonly entries: number;
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  /** Objects whose content was read, and its bytes. */
  readonly read: number;
  readonly readBytes: number;
  readonly problems: number;
}

interface Promised {
  readonly entry: number;
  readonly key: string;
  readonly versionId: string;
  readonly size: number;
  readonly sha256: string;
  readonly lockedUntil: string;
}

/**
 * Log against checkpoint: every entry is hashed into the tree, every tile compared, and the root must be the one
 * signed. Vault against log: every object an entry promises is there, of its size and digest, locked as long as it
 * must be. Streams the log; memory does not grow with it.
 */
export async function verifyVault(options: VerifyOptions): Promise<VerifyReport> {
  const { log, head, concurrency, signal } = options;
  const report = { entries: 0, records: 0, files: 0, bytes: 0, read: 0, readBytes: 0, problems: 0 };
  const problem = (found: Problem): void => {
    report.problems += 1;
    options.onProblem(found);
  };
  const checks = new PQueue({ concurrency });
  let failure: unknown;
  const check = async (work: () => Promise<void>): Promise<void> => {
    await checks.onSizeLessThan(concurrency * 4);
    if (failure) throw failure;
    void checks.add(work).catch((error: unknown) => {
      failure ??= error;
    });
  };

  const frontier = new Frontier();
  for (let bundle = 0; bundle * TILE_WIDTH < head.size; bundle++) {
    if (signal.aborted) throw new HoldfastError("interrupted", "verify was interrupted");
    const entries = await log.bundle(bundle, head.size);
    for (const tile of frontier.append(entries.map(leafHash))) {
      // Between two full ones the vault has only the partial tiles of its own checkpoints.
      if (parseTilePath(tile.path).width < TILE_WIDTH && frontier.size < head.size) continue;
      await check(() => checkTile(options.vault, tile, problem));
    }
    for (const [position, bytes] of entries.entries()) {
      const index = bundle * TILE_WIDTH + position;
      const entry = decodeEntry(bytes);
      report.entries += 1;
      if (entry?.type !== "record.stored") continue;
      report.records += 1;
      for (const promised of promisedBy(index, entry)) {
        if (promised.key !== entry.object.key) report.files += 1;
        report.bytes += promised.size;
        await check(() => checkObject(options, promised, report, problem));
      }
    }
    options.onProgress(report.entries, head.size, report.problems);
  }
  await checks.onIdle();
  if (failure) throw failure;
  if (Buffer.compare(frontier.root(), head.root) !== 0) {
    problem({ key: "audit/checkpoint", what: "the entries do not give the root it signs: an entry was changed" });
  }
  options.onProgress(report.entries, head.size, report.problems);
  return report;
}

async function checkTile(vault: Vault, tile: { path: string; bytes: Uint8Array }, problem: (found: Problem) => void) {
  const key = auditKey(tile.path);
  try {
    const { bytes } = await vault.read(key, tile.bytes.length);
    if (Buffer.compare(bytes, tile.bytes) !== 0) problem({ key, what: "the tile does not match the entries" });
  } catch (error) {
    if (!hasCode(error, "vault-missing", "malformed")) throw error;
    problem({ key, what: hasCode(error, "malformed") ? "the tile has the wrong size" : "the tile is missing" });
  }
}

/** What was stored with this version; files that came with an earlier one were promised there. */
function* promisedBy(entry: number, { object, files, lockedUntil }: RecordStored): Generator<Promised> {
  for (const file of files) if (file.storedWith === undefined) yield { entry, ...file };
  yield { entry, ...object, lockedUntil };
}

async function checkObject(
  { vault, now, readData }: VerifyOptions,
  { entry, key, versionId, size, sha256, lockedUntil }: Promised,
  report: { read: number; readBytes: number },
  problem: (found: Problem) => void,
): Promise<void> {
  try {
    const info = await vault.head(key, versionId);
    if (info.size !== size) problem({ key, entry, what: `has ${info.size} bytes; ${size} were stored` });
    if (info.sha256 !== null && info.sha256 !== sha256) problem({ key, entry, what: "its noted digest is another" });
    const until = Temporal.Instant.from(lockedUntil);
    if (
      Temporal.Instant.compare(until, now()) > 0 &&
      (info.lock === null || Temporal.Instant.compare(info.lock.until, until) < 0)
    ) {
      problem({
        key,
        entry,
        what: `must be locked until ${lockedUntil}, and is ${info.lock ? `locked until ${info.lock.until}` : "not locked"}`,
      });
    }
    // A sample nobody can foresee.
    if (readData === 0 || randomInt(0, 1_000_000) >= readData * 10_000) return;
    const hash = createHash("sha256");
    for await (const chunk of await vault.stream(key, versionId)) hash.update(chunk);
    report.read += 1;
    report.readBytes += size;
    if (hash.digest("hex") !== sha256) problem({ key, entry, what: "its content was changed" });
  } catch (error) {
    if (!hasCode(error, "vault-missing", "malformed")) throw error;
    problem({
      key,
      entry,
      what: hasCode(error, "vault-missing") ? "is missing" : "its note of digest and lock is damaged",
    });
  }
}
