import { join } from "node:path";
import { differentKey } from "../audit/different-key.ts";
import { Journal } from "../audit/journal.ts";
import { lastSeenHead } from "../audit/last-seen.ts";
import { AuditLog } from "../audit/log.ts";
import { readAnchors } from "../audit/timestamp/authority.ts";
import { Catalog } from "../catalog/catalog.ts";
import type { ClientConfig } from "../config/config.ts";
import { bytes, plural } from "../observe/format.ts";
import { errorFields } from "../observe/log.ts";
import { Superseded } from "../retention/superseded.ts";
import type { Opener } from "../seal/open.ts";
import { type LastVerify, writeLastVerify } from "../state/last-verify.ts";
import { type LocksLookedAt, readLocksLookedAt, writeLocksLookedAt } from "../state/locks-looked-at.ts";
import { LockTurns } from "../verify/lock-turns.ts";
import { PlainDigests } from "../verify/plain-digests.ts";
import type { Problem } from "../verify/problem.ts";
import type { Orphan } from "../verify/unlogged-versions.ts";
import { type VerifyReport, verifyVault } from "../verify/verify.ts";
import { anotherLogKey, ownKey } from "./another-key.ts";
import type { Session } from "./client.ts";
import { sayVerdict } from "./key-trust.ts";
import { openDescribed, openHead, readInventory } from "./open-to-verify.ts";
import { VerifyFindings } from "./verify-findings.ts";
import { type CheckpointKept, reportText } from "./verify-text.ts";

export interface VerifyOptions {
  /** Percentage of the objects to read. */
  readonly readData: number;
  readonly since?: Temporal.Instant;
  /** An age identity file, to decrypt what is read. */
  readonly key?: string;
  /** The log's public key that the auditor trusts. Default: the one in the vault. */
  readonly vkey?: string;
  /** Root certificates of time-stamping authorities, PEM. Default: those in the config. */
  readonly tsaCa?: string;
  /** List objects that are not in the log. */
  readonly orphans?: boolean;
  /** Where an S3 Inventory of the vault's bucket lies: a path or s3://. */
  readonly inventory?: string;
  /** Look at the lock of every object. Default: of those whose turn it is. */
  readonly allLocks?: boolean;
}

export interface ClientReport extends VerifyReport {
  readonly client: string;
  readonly checkpoint: CheckpointKept;
  /** The log's public key, and whether the caller vouched for it. */
  readonly vkey: string;
  readonly keyTrusted: boolean;
  /** When the inventory was made that locks were taken from. */
  readonly inventory: string | null;
  /** The first of them; `problems` counts all. */
  readonly found: readonly Problem[];
  /** The first objects that must be locked but are not; `unlocked` counts all. */
  readonly notLocked: readonly Problem[];
  readonly orphaned?: readonly Orphan[];
}

/** Checks one client's log against its checkpoint, and the vault against the log, and says what it found. */
export async function verifyClient(
  config: ClientConfig,
  session: Session,
  options: VerifyOptions,
  opener: Opener | undefined,
): Promise<ClientReport> {
  const { console, signal, now } = session;
  const { since } = options;
  await using opened = new AsyncDisposableStack();
  const { vault, description, verifiers } = opened.use(await openDescribed(config, session));
  let progress = console.progress(`${config.id}: log entries`);
  opened.defer(() => progress.end());
  let isLogRead = false;
  const { vkey } = description.log;
  if (options.vkey !== undefined && options.vkey !== vkey) throw differentKey(`vault.json in ${vault.url}`, vkey);
  const own = await ownKey(config);
  if (own !== undefined && own !== vkey) throw await anotherLogKey(config, description, vault.url);
  const log = new AuditLog(vault, description.log.origin, verifiers);
  const head = await openHead(log);
  const seen = await lastSeenHead(config.state, log, head);
  const journal = join(config.state, "journal");
  const scratch = (name: string): string => join(config.state, `verify-${process.pid}${name}.sqlite`);
  const index = Catalog.unindexed(scratch(""), log.origin);
  opened.defer(() => index.close());
  const superseded = new Superseded(scratch("-superseded"));
  opened.defer(() => superseded.close());
  const digests = new PlainDigests(scratch("-digests"));
  opened.defer(() => digests.close());
  const place = lockPlace(config);
  const last = options.allLocks ? undefined : readLocksLookedAt(config.state, place);
  const turns = new LockTurns(last, now(), scratch("-extended"));
  opened.defer(() => turns.close());
  const inventory =
    options.inventory === undefined
      ? undefined
      : await readInventory(options.inventory, config, scratch("-inventory"), session);
  opened.defer(() => inventory?.close());
  const ca = options.tsaCa ?? config.log.timestamps?.ca;
  const isWhole = options.readData === 100 && since === undefined;
  const findings = new VerifyFindings(console, config.id);
  const report = await verifyVault({
    vault,
    head,
    policy: { retention: config.retention, mode: config.vault.lock },
    seen: seen ? [{ ...seen, source: `the checkpoint that this machine saw last (${seen.path})` }] : [],
    journal: { path: journal, entries: await new Journal(journal).inspect(), seen: seen?.size ?? 0 },
    verifiers,
    index,
    superseded,
    digests,
    turns,
    inventory,
    now,
    signal,
    opener,
    readData: options.readData,
    since,
    anchors: ca === undefined ? undefined : await readAnchors(ca),
    concurrency: config.vault.concurrency,
    onProgress: (done, total, problems) =>
      progress.update(done, total, () => (problems > 0 ? plural(problems, "problem") : "")),
    onObjects: (done, total, { problems, readBytes, of }) => {
      if (!isLogRead) {
        progress.end();
        progress = console.progress(`${config.id}: objects`);
        isLogRead = true;
      }
      const notes = [
        ...(problems > 0 ? [plural(problems, "problem")] : []),
        ...(options.readData > 0 ? [`${bytes(readBytes)}${isWhole ? ` of ${bytes(of)}` : ""} read`] : []),
      ];
      progress.update(done, total, () => notes.join(", "));
    },
    onProblem: (problem) => findings.problem(problem),
    onUnlocked: (object) => findings.notLocked(object),
    onOrphan: (orphan) => {
      if (options.orphans) findings.orphan(orphan);
    },
  });
  progress.end();
  findings.sayMore();
  const key = { vkey, keyTrusted: (options.vkey ?? own) !== undefined };
  const checkpoint = { origin: head.origin, size: head.size, root: Buffer.from(head.root).toString("base64") };
  remember(
    config,
    {
      time: now().toString(),
      problems: report.problems,
      unlocked: report.unlocked,
      unlisted: report.unlisted,
      entries: report.entries,
      readData: options.readData,
      keyTrusted: key.keyTrusted,
      locks: { looked: report.looked, of: report.records + report.files + report.notes },
    },
    since || vault.isLocal ? undefined : { of: place, ...turns.after(head.size, inventory?.created) },
    console,
  );
  const made = inventory?.created.toString() ?? null;
  sayVerdict(console, reportText(config.id, report, checkpoint, key.keyTrusted, vault.isLocal === true, made), {
    ...key,
    with: "vault",
    client: config.id,
  });
  const { problems: found, unlocked: notLocked, orphans } = findings;
  const orphaned = options.orphans ? { orphaned: orphans } : {};
  return { client: config.id, checkpoint, ...key, ...report, inventory: made, found, notLocked, ...orphaned };
}

/** Which vault's locks: the same bucket at another endpoint is another vault. */
export function lockPlace({ vault, log }: ClientConfig): string {
  if (vault.kind !== "s3") return log.origin;
  return `${log.origin} s3://${vault.bucket}/${vault.prefix} ${vault.endpoint ?? ""}`;
}

/** Remembers the time of this check, for the metrics and the report, and whose locks were looked at, for the next. */
function remember(
  { id, state }: ClientConfig,
  last: LastVerify,
  looked: Partial<LocksLookedAt> | undefined,
  { log }: Session["console"],
): void {
  try {
    writeLastVerify(state, last);
    if (looked) writeLocksLookedAt(state, looked);
  } catch (error) {
    log.warn("cannot save the time of this verification", { client: id, ...errorFields(error) });
  }
}
