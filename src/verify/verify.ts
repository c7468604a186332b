import type { X509Certificate } from "node:crypto";
import type { Head } from "../audit/log.ts";
import type { Verifier } from "../audit/note.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { LockPolicy } from "../retention/lock-due.ts";
import { Replay } from "../retention/replay.ts";
import type { Superseded } from "../retention/superseded.ts";
import { auditKey, CHECKPOINT, VAULT_JSON } from "../vault/layout.ts";
import { Checks } from "./checks.ts";
import { checkpointHistory, type Earlier, signersOf } from "./history.ts";
import type { Inventory } from "./inventory.ts";
import { JournalCheck, type JournalKept } from "./journal.ts";
import { KeyChain } from "./key-chain.ts";
import type { LockTurns } from "./lock-turns.ts";
import { readLog } from "./log-pass.ts";
import type { ObjectCheck } from "./objects.ts";
import type { PlainDigests } from "./plain-digests.ts";
import { auditPolicy, type PolicyReport } from "./policy-audit.ts";
import type { Lockless, Problem } from "./problem.ts";
import { checkCheckpoint, checkLease, couldRunOut } from "./stored-once.ts";
import { checkTimestamps, type TimestampReport } from "./timestamps.ts";
import { TreeCheck } from "./tree.ts";
import type { Orphan } from "./unlogged-versions.ts";
import { checkDescription } from "./vault-description.ts";
import { compareVault, type VaultTally } from "./vault-pass.ts";

export interface VaultVerification extends Omit<ObjectCheck, "onMore" | "onRecord" | "onFile"> {
  /** The client's policy from the config. */
  readonly policy: LockPolicy;
  readonly head: Head;
  readonly verifiers: readonly Verifier[];
  /** Heads that others than the vault remember: no larger than the current one, smallest first. */
  readonly seen?: readonly Earlier[];
  /** This machine's journal of the log's entries. */
  readonly journal?: JournalKept;
  /** All three are empty at first and filled on the way. */
  readonly index: Catalog;
  readonly superseded: Superseded;
  readonly digests: PlainDigests;
  /** Whose lock is looked at; or the locks as an inventory has them. */
  readonly turns: LockTurns;
  readonly inventory?: Inventory | undefined;
  /** The percentage of objects, 0 to 100, whose content is read and hashed: a sample that no one can predict. */
  readonly readData: number;
  /** Maximum parallel requests. */
  readonly concurrency: number;
  /** Objects of earlier entries are skipped; the log itself is always checked in full. */
  readonly since?: Temporal.Instant | undefined;
  /**
   * Certificates that those of time-stamping authorities must chain to; without them, only the stamped digests are
   * checked.
   */
  readonly anchors?: readonly X509Certificate[] | undefined;
  onProgress(entries: number, total: number, problems: number): void;
  /** Called for the objects, which are checked after the log. `of`: the bytes of all objects. */
  onObjects(
    objects: number,
    total: number,
    found: { readonly problems: number; readonly readBytes: number; readonly of: number },
  ): void;
  onProblem(problem: Problem): void;
  /** Of what must be locked, and whose lock ran out as the log says it would: nothing was changed. */
  onUnlocked(found: Problem): void;
  onOrphan(orphan: Orphan): void;
}

export interface VerifyReport extends PolicyReport, Readonly<VaultTally> {
  readonly entries: number;
  /** All entries of the log were read, and match the signed checkpoint and all earlier ones. */
  readonly logConfirmed: boolean;
  /** Checkpoints that the vault keeps, including the current one. */
  readonly checkpoints: number;
  /** Entries that this machine journaled and that are not in the log yet. */
  readonly waiting: number;
  readonly timestamps: TimestampReport;
  readonly problems: number;
  /** Objects and pieces of the log that must be locked, and whose lock ran out. They are as the log says. */
  readonly unlocked: number;
}

/**
 * First compares the log with its checkpoint: hashes every entry into the tree, compares every tile and earlier
 * checkpoint with it, and checks that the root is the signed one; also checks whether the log allowed each destruction
 * that it records. Then compares the vault with the log, in both directions: every object must exist, with its size and
 * digest, locked as long as it must be, and neither hidden nor replaced. Skips purged objects. Streams: what grows with
 * the log is on disk.
 */
export async function verifyVault(options: VaultVerification): Promise<VerifyReport> {
  const { vault, head, index, superseded, signal, now, anchors, policy } = options;
  const report = {
    entries: 0,
    checkpoints: 1,
    records: 0,
    files: 0,
    bytes: 0,
    notes: 0,
    recordsFaulty: 0,
    filesFaulty: 0,
    read: 0,
    readBytes: 0,
    opened: options.opener === undefined ? null : 0,
    renewed: 0,
    purged: 0,
    orphans: 0,
    superseded: 0,
    unlisted: 0,
    looked: 0,
    inventoried: 0,
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
  /**
   * Unlocked parts of the log. They are a problem if anything is locked: each part proves it with its part of the tree.
   */
  const lockless: Lockless[] = [];
  const unlocked = (found: Lockless): void => void lockless.push(found);
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

  const { entries, sealedTo, waiting, isConfirmed } = await readLog({
    vault,
    head,
    keys,
    times,
    replay,
    turns: options.turns,
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
    problem({ key: VAULT_JSON, what: "its recipients differ from the log" });
  }
  const present = { size: head.size, signers: signersOf(head.note, options.verifiers) };
  keys.check(options.verifiers, [...earlier, present], problem);
  times.check(head.size, problem);
  await checkCheckpoint(vault, begun, unlocked, problem);

  const { versions, files, bytes } = index.totals.counts();
  options.turns.begin(versions + files);
  let done = 0;
  await compareVault({
    ...options,
    checks,
    tally: report,
    problem,
    orphan: options.onOrphan,
    onObject: () => options.onObjects(++done, versions + files, { ...report, of: bytes }),
    onMore: (key, { versionId, lock, hold }) => index.seen.note(key, versionId, lock?.until.toString() ?? "", hold),
    onRecord: (record, entry) => options.digests.noteRecord(index, record, entry),
    onFile: (key, sha256) => options.digests.noteFile(key, sha256),
  });
  for (const { key, entry } of options.digests.differing())
    problem({ key, entry, what: "its content differs from what its record says" });
  let ranOut = 0;
  const onUnlocked = (found: Problem): void => {
    ranOut += 1;
    options.onUnlocked(found);
  };
  const check = (work: () => Promise<void>): Promise<void> => checks.add(work);
  const audited = await auditPolicy({ vault, index, policy, now, check }, { problem, unlocked: onUnlocked });
  // Pieces of the log run out where no run extends them: then records run out too, or no run wrote the checkpoint. Else,
  // and where the checkpoint's lock ended too early, someone shortened their locks.
  if (index.locks.anyAfter(begun.toString())) {
    const ofCheckpoint = lockless.find(({ key }) => key === CHECKPOINT);
    const wasShortened = ofCheckpoint !== undefined && !couldRunOut(ofCheckpoint, times.logged, policy, index);
    const isLate = !wasShortened && (ranOut > 0 || ofCheckpoint !== undefined);
    for (const { ended, ...found } of lockless) (ended !== null && isLate ? onUnlocked : problem)(found);
  }
  await checks.end();
  return { ...report, ...audited, unlocked: ranOut, waiting, logConfirmed: isConfirmed, timestamps: times.report };
}
