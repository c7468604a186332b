import type { X509Certificate } from "node:crypto";
import PQueue from "p-queue";
import { decodeEntry, type Entry } from "../audit/entry.ts";
import type { Head } from "../audit/log.ts";
import type { Verifier } from "../audit/note.ts";
import { MAX_TILE, TILE_WIDTH } from "../audit/tile.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { HoldfastError, hasCode } from "../error.ts";
import type { Policy } from "../retention/due.ts";
import { auditKey, VAULT_JSON } from "../vault/layout.ts";
import { readBundles } from "./bundles.ts";
import { checkDescription, joined } from "./described.ts";
import { checkCheckpoint, checkLease } from "./fixed.ts";
import { checkpointHistory, type Earlier, signersOf } from "./history.ts";
import { JournalCheck, type JournalKept } from "./journal.ts";
import { KeyChain } from "./key-chain.ts";
import { checkExtended, checkObject, type ObjectCheck, promisedBy } from "./objects.ts";
import { checkLocked, readPiece } from "./piece.ts";
import { auditPolicy, type PolicyReport } from "./policy-audit.ts";
import type { Problem } from "./problem.ts";
import { findStrays, type Orphan } from "./strays.ts";
import { checkTimestamps, type TimestampReport } from "./timestamps.ts";
import { type ExpectedTile, TreeCheck } from "./tree.ts";

export interface VerifyOptions extends Omit<ObjectCheck, "onMore"> {
  /** What the client's config asks for. */
  readonly policy: Policy;
  readonly head: Head;
  readonly verifiers: readonly Verifier[];
  /** Heads that others than the vault remember: no larger than the present one, smallest first. */
  readonly seen?: readonly Earlier[];
  /** What this machine wrote down of the log's entries, and where. */
  readonly journal?: JournalKept;
  /** Empty; filled on the way, and asked at the end what the log mentions. */
  readonly index: Catalog;
  /** Requests in flight. */
  readonly concurrency: number;
  /** Objects of earlier entries are left out; the log itself is always checked whole. */
  readonly since?: Temporal.Instant | undefined;
  /** Certificates that those of time-stamping authorities must lead to; else only what is stamped is checked. */
  readonly anchors?: readonly X509Certificate[] | undefined;
  onProgress(entries: number, total: number, problems: number): void;
  onProblem(problem: Problem): void;
  onOrphan(orphan: Orphan): void;
}

export interface VerifyReport extends PolicyReport {
  readonly entries: number;
  /** Checkpoints that the vault keeps, the present one included. */
  readonly checkpoints: number;
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  /** Objects whose content was read, and its bytes. */
  readonly read: number;
  readonly readBytes: number;
  /** Objects that went missing or were damaged, and were stored and logged anew since. */
  readonly renewed: number;
  /** Objects that a purge removed at the end of their retention. */
  readonly purged: number;
  readonly orphans: number;
  /** Entries that this machine journaled and the log does not have yet. */
  readonly waiting: number;
  readonly timestamps: TimestampReport;
  readonly problems: number;
}

/** Untrusted as the log is: nothing else in the bucket is asked for. */
const OBJECT_KEY = /^(records|files)\/[A-Za-z0-9_-]+\/[A-Za-z0-9_-]+\/[A-Za-z0-9_-]+\.age$/;

/**
 * Log against checkpoint: every entry is hashed into the tree, every tile and earlier checkpoint held against it, and
 * the root must be the one signed. Vault against log, both ways: every object an entry promises is there, of its size
 * and digest, locked as long as it must be, and neither hidden nor replaced. Streams; memory does not grow with the log.
 */
export async function verifyVault(options: VerifyOptions): Promise<VerifyReport> {
  const { vault, head, index, concurrency, signal, now } = options;
  const report = {
    ...{ entries: 0, checkpoints: 1, records: 0, files: 0, bytes: 0 },
    ...{ read: 0, readBytes: 0, renewed: 0, purged: 0, orphans: 0, problems: 0 },
  };
  const problem = (found: Problem): void => {
    report.problems += 1;
    options.onProblem(found);
  };
  const begun = now();
  const check: ObjectCheck = {
    ...options,
    onMore: (key, { versionId, lock, hold }) => index.seen.note(key, versionId, lock?.until.toString() ?? "", hold),
  };
  const checks = new Checks(concurrency);
  const recipients = await checkDescription(vault, problem);
  const sealedTo = new Set([recipients.first]);
  await checkLease(vault, problem);
  const earlier = await checkpointHistory(vault, head, options.verifiers, problem);
  report.checkpoints += earlier.length;
  const remembered = [...earlier, ...(options.seen ?? [])].sort((a, b) => a.size - b.size);
  const tree = new TreeCheck(head, remembered, problem);
  const since = options.since?.toString({ smallestUnit: "millisecond" }) ?? "";
  const keys = new KeyChain();
  /** Of objects: told at the end, since an object that is lost may have been stored anew, and logged, later. */
  const lost: { versionId: string; found: Problem }[] = [];
  const journal = new JournalCheck(options.journal, head, problem);
  /** Whether anything that the log proves must be locked still. */
  let due = false;
  const isDue = (until: string): boolean => Temporal.Instant.compare(Temporal.Instant.from(until), begun) > 0;
  /** Pieces of the log. All of them prove what is due, each with its part of the tree. */
  const unlocked: Problem[] = [];

  for await (const { number, bundle, tile, entries, row } of readBundles(vault, head.size, problem)) {
    if (signal.aborted) throw new HoldfastError("interrupted", "verify was interrupted");
    const first = number * TILE_WIDTH;
    const known: { index: number; entry: Entry }[] = [];
    for (const [position, bytes] of (entries ?? []).entries()) {
      journal.check(first + position, bytes);
      const entry = readEntry(bytes, first + position, bundle?.info.key, problem);
      if (entry) known.push({ index: first + position, entry });
    }
    report.entries += entries?.length ?? 0;
    for (const { index: at, entry } of known) {
      keys.note(at, entry);
      if (entry.type === "recipients.changed") sealedTo.add(joined(entry.to));
      if (entry.type === "lock.extended" && isDue(entry.lockedUntil)) {
        due = true;
        for (const { key, versionId } of entry.objects) {
          if (!OBJECT_KEY.test(key)) problem({ key, entry: at, what: "is no key of a record or a file" });
          else
            await checks.add(() =>
              checkExtended(options, { ...entry, entry: at, key, versionId }, (found) =>
                lost.push({ versionId, found }),
              ),
            );
        }
      }
      if (entry.type !== "record.stored") continue;
      due ||= isDue(entry.lockedUntil);
      if (entry.time < since) continue;
      report.records += 1;
      for (const promised of promisedBy(at, entry)) {
        if (!OBJECT_KEY.test(promised.key)) {
          problem({ key: promised.key, entry: at, what: "is no key of a record or a file" });
          continue;
        }
        if (promised.key !== entry.object.key) report.files += 1;
        report.bytes += promised.size;
        await checks.add(async () => {
          const { versionId } = promised;
          const read = await checkObject(check, promised, (found) => lost.push({ versionId, found }));
          report.read += read > 0 ? 1 : 0;
          report.readBytes += read;
        });
      }
    }
    for (const piece of [bundle, tile]) if (piece) checkLocked(piece, begun, (found) => unlocked.push(found));
    for (const expected of tree.add(number, entries, row)) {
      const lockedToo = due;
      await checks.add(() => checkTile(options, expected, lockedToo, problem));
    }
    index.applyKnown(known);
    options.onProgress(report.entries, head.size, report.problems);
  }
  await checks.end();
  for (const { versionId, found } of lost) {
    const purge = index.life.purge(found.key);
    if (purge === "done") report.purged += 1;
    else if (purge === "begun" && found.isMissing) report.purged += 1;
    else if (index.objectVersion(found.key) === versionId) problem(found);
    else report.renewed += 1;
  }
  if (due) for (const found of unlocked) problem(found);
  tree.end();
  const present = { size: head.size, signers: signersOf(head.note, options.verifiers) };
  keys.check(options.verifiers, [...earlier, present], problem);
  const waiting = journal.end();
  await checkCheckpoint(vault, due ? begun : undefined, problem);
  const { anchors } = options;
  const timestamps = await checkTimestamps({ vault, head, earlier, anchors, due: due ? begun : undefined }, problem);
  if (!sealedTo.has(recipients.present)) {
    problem({ key: VAULT_JSON, what: "its recipients are not those that the log says" });
  }
  const orphan = (found: Orphan): void => {
    report.orphans += 1;
    options.onOrphan(found);
  };
  const audited = await auditPolicy(
    { vault, index, policy: options.policy, now, check: (work) => checks.add(work) },
    problem,
  );
  await findStrays(vault, index, signal, (work) => checks.add(work), problem, orphan);
  await checks.end();
  options.onProgress(report.entries, head.size, report.problems);
  return { ...report, ...audited, waiting, timestamps };
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
    if (!hasCode(error, "malformed")) throw error;
    problem({ key: key ?? auditKey("tile/entries"), entry, what: error.message });
    return null;
  }
}

/** A tile above the leaves must be one of those that entries or tiles below give. */
async function checkTile(
  { vault, now }: VerifyOptions,
  { key, bytes }: ExpectedTile,
  due: boolean,
  problem: (found: Problem) => void,
): Promise<void> {
  const piece = await readPiece(vault, key, MAX_TILE, problem);
  if (piece === undefined) return;
  if (due) checkLocked(piece, now(), problem);
  if (bytes.some((expected) => Buffer.compare(expected, piece.bytes) === 0)) return;
  problem({ key, what: "the tile was changed: it does not match what is below it" });
}

/** Checks under way: so many at once, a few more waiting. The first that cannot be made ends them all. */
class Checks {
  readonly #queue: PQueue;
  readonly #waiting: number;
  #failure: unknown;

  constructor(concurrency: number) {
    this.#queue = new PQueue({ concurrency });
    this.#waiting = concurrency * 4;
  }

  async add(work: () => Promise<void>): Promise<void> {
    if (this.#failure) throw this.#failure;
    void this.#queue.add(work).catch((error: unknown) => {
      this.#failure ??= error;
      this.#queue.clear();
    });
    await this.#queue.onSizeLessThan(this.#waiting);
  }

  async end(): Promise<void> {
    await this.#queue.onIdle();
    if (this.#failure) throw this.#failure;
  }
}
