import type { X509Certificate } from "node:crypto";
import type { Head } from "../audit/log.ts";
import type { Verifier } from "../audit/note.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { CatalogObject } from "../catalog/objects.ts";
import { HoldfastError } from "../core/error.ts";
import type { Policy } from "../retention/lock-due.ts";
import { Replay } from "../retention/replay.ts";
import type { Superseded } from "../retention/superseded.ts";
import { auditKey, parseKey, VAULT_JSON } from "../vault/layout.ts";
import { Checks } from "./checks.ts";
import { checkpointHistory, type Earlier, signersOf } from "./history.ts";
import { JournalCheck, type JournalKept } from "./journal.ts";
import { KeyChain } from "./key-chain.ts";
import { readLog } from "./log-pass.ts";
import { checkObject, type ObjectCheck } from "./objects.ts";
import type { PlainDigests } from "./plain-digests.ts";
import { auditPolicy, type PolicyReport } from "./policy-audit.ts";
import type { Problem } from "./problem.ts";
import { checkCheckpoint, checkLease } from "./stored-once.ts";
import { checkTimestamps, type TimestampReport } from "./timestamps.ts";
import { TreeCheck } from "./tree.ts";
import { findUnlogged, type Orphan } from "./unlogged-versions.ts";
import { checkDescription } from "./vault-description.ts";

export interface VerifyOptions extends Omit<ObjectCheck, "onMore" | "onRecord" | "onFile"> {
  /** What the client's config asks for. */
  readonly policy: Policy;
  readonly head: Head;
  readonly verifiers: readonly Verifier[];
  /** Heads that others than the vault remember: no larger than the present one, smallest first. */
  readonly seen?: readonly Earlier[];
  /** What this machine wrote down of the log's entries, and where. */
  readonly journal?: JournalKept;
  /** Empty, all three; filled on the way. */
  readonly index: Catalog;
  readonly superseded: Superseded;
  readonly digests: PlainDigests;
  /** Requests in flight. */
  readonly concurrency: number;
  /** Objects of earlier entries are left out; the log itself is always checked whole. */
  readonly since?: Temporal.Instant | undefined;
  /** Certificates that those of time-stamping authorities must lead to; else only what is stamped is checked. */
  readonly anchors?: readonly X509Certificate[] | undefined;
  onProgress(entries: number, total: number, problems: number): void;
  /** After the log its objects are looked at. */
  onObjects(objects: number, total: number, problems: number): void;
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
  /** Objects that went missing or were damaged, and that a later entry stored again under the same key. */
  readonly renewed: number;
  /** Objects that a purge removed, by the log's word. */
  readonly purged: number;
  readonly orphans: number;
  /** Entries that this machine journaled and the log does not have yet. */
  readonly waiting: number;
  readonly timestamps: TimestampReport;
  readonly problems: number;
}

/**
 * Log against checkpoint: every entry is hashed into the tree, every tile and earlier checkpoint held against it, and
 * the root must be the one signed; what the entries say was destroyed is held to what led there. Then vault against
 * log, both ways: every object that must be there is, of its size and digest, locked as long as it must be, and neither
 * hidden nor replaced. What was purged is not asked for. Streams: what grows with the log is on disk.
 */
export async function verifyVault(options: VerifyOptions): Promise<VerifyReport> {
  const { vault, head, index, superseded, signal, now, anchors, policy } = options;
  const report = {
    entries: 0,
    checkpoints: 1,
    records: 0,
    files: 0,
    bytes: 0,
    read: 0,
    readBytes: 0,
    renewed: 0,
    purged: 0,
    orphans: 0,
    problems: 0,
  };
  const problem = (found: Problem): void => {
    report.problems += 1;
    options.onProblem(found);
  };
  const begun = now();
  const checks = new Checks(options.concurrency);
  const recipients = await checkDescription(vault, problem);
  await checkLease(vault, problem);
  const earlier = await checkpointHistory(vault, head, options.verifiers, problem);
  report.checkpoints += earlier.length;
  /** Pieces of the log. All of them prove what is locked, each with its part of the tree. */
  const lockless: Problem[] = [];
  const unlocked = (found: Problem): void => void lockless.push(found);
  const times = await checkTimestamps({ vault, head, earlier, anchors, now: begun, unlocked }, problem);
  const remembered = [...earlier, ...(options.seen ?? [])].sort((a, b) => a.size - b.size);
  const keys = new KeyChain();
  const replay = new Replay({
    index,
    superseded,
    policy: policy.retention,
    latest: (entry) => times.latest(entry) ?? now(),
    onFault: ({ key = auditKey("tile/entries"), ...fault }) => problem({ key, ...fault }),
  });

  const { entries, sealedTo, waiting } = await readLog({
    vault,
    head,
    keys,
    times,
    replay,
    index,
    checks,
    begun,
    signal,
    problem,
    unlocked,
    tree: new TreeCheck(head, remembered, problem),
    journal: new JournalCheck(options.journal, head, problem),
    onProgress: (done) => options.onProgress(done, head.size, report.problems),
  });
  await checks.end();
  report.entries = entries;
  report.purged = replay.purged;
  sealedTo.add(recipients.first);
  if (!sealedTo.has(recipients.present)) {
    problem({ key: VAULT_JSON, what: "its recipients are not those that the log says" });
  }
  const present = { size: head.size, signers: signersOf(head.note, options.verifiers) };
  keys.check(options.verifiers, [...earlier, present], problem);
  times.check(head.size, problem);
  const isLocked = index.locks.anyAfter(begun.toString());
  if (isLocked) for (const found of lockless) problem(found);
  await checkCheckpoint(vault, isLocked ? begun : undefined, problem);

  await checkObjects(options, checks, report, problem);
  const audited = await auditPolicy({ vault, index, policy, now, check: (work) => checks.add(work) }, problem);
  const orphan = (found: Orphan): void => {
    report.orphans += 1;
    options.onOrphan(found);
  };
  await findUnlogged(vault, index, signal, (work) => checks.add(work), problem, orphan);
  await checks.end();
  return { ...report, ...audited, waiting, timestamps: times.report };
}

type Tally = { -readonly [name in keyof VerifyReport]: VerifyReport[name] };

/** Every object that the log says is there, and those that it stored again since. */
async function checkObjects(
  options: VerifyOptions,
  checks: Checks,
  report: Pick<Tally, "records" | "files" | "bytes" | "read" | "readBytes" | "renewed" | "purged" | "problems">,
  problem: (found: Problem) => void,
): Promise<void> {
  const { index, superseded, digests, signal, since } = options;
  const check: ObjectCheck = {
    ...options,
    onMore: (key, { versionId, lock, hold }) => index.seen.note(key, versionId, lock?.until.toString() ?? "", hold),
    onRecord: (record, entry) => digests.noteRecord(index, record, entry),
    onFile: (key, sha256) => digests.noteFile(key, sha256),
  };
  const from = since?.toString({ smallestUnit: "millisecond" }) ?? "";
  const isOld = ({ stored }: CatalogObject): boolean => stored !== null && stored < from;
  const { versions, files } = index.totals.counts();
  let done = 0;
  for (const object of index.objects.all()) {
    if (signal.aborted) throw new HoldfastError("interrupted", "verify was interrupted");
    options.onObjects(++done, versions + files, report.problems);
    if (isOld(object)) continue;
    report[parseKey(object.key)?.kind === "record" ? "records" : "files"] += 1;
    report.bytes += object.size;
    await checks.add(async () => {
      const read = await checkObject(check, object, (found) => {
        if (found.isMissing && index.purges.stateOf(object.key) === "begun") report.purged += 1;
        else problem(found);
      });
      report.read += read > 0 ? 1 : 0;
      report.readBytes += read;
    });
  }
  await checks.end();
  for (const { key, entry } of digests.differing())
    problem({ key, entry, what: "its content is not the one that its record tells of" });
  for (const object of superseded.all()) {
    if (isOld(object)) continue;
    // Logged again since, with a shorter lock than before: what was promised first must be so.
    const present = index.objects.get(object.key);
    if (present?.versionId === object.versionId) {
      const { lockedUntil, lockMode } = object;
      if (present.lockedUntil < lockedUntil || present.lockMode !== lockMode)
        await checkObject({ ...check, readData: 0 }, { ...present, lockedUntil, lockMode }, problem);
      continue;
    }
    let isWell = true;
    const of = { ...check, onRecord: () => {}, onFile: () => {} };
    await checkObject(of, object, () => {
      isWell = false;
    });
    if (!isWell) report.renewed += 1;
  }
}
