import { createHash } from "node:crypto";
import { PROBE } from "../vault/layout.ts";
import { probeConditional } from "../vault/probe.ts";
import { isNotImplemented } from "../vault/s3-errors.ts";
import type { Conditional, Vault } from "../vault/vault.ts";
import type { Bucket, BucketAnswer } from "./bucket.ts";
import { type Finding, findings } from "./finding.ts";
import { BYTES, NO_ETAG, ProbeObject } from "./probe-object.ts";

const { ok, warning, failure } = findings("store");
const rights = findings("rights");

/** What fixes a right that an exporter need not have. */
export const APART = "Use the exporter's policy of config/aws/holdfast.yaml: it holds this right apart.";

const OTHER = Buffer.from("something else");

/**
 * Tries on an object of its own what the store does with locks, conditions and checksums, and whether these credentials
 * can lift a lock. Under Object Lock every write may stay, so each write names a governance lock of one minute, by the
 * store's own clock: that overrides a bucket's default, which may be years in compliance mode. If that first write is
 * refused, or comes back with another lock than it asked for, nothing more is written.
 *
 * On a store that keeps its promises this adds one version of some 47 bytes, before `init` a few. Each is deleted where these credentials can do so;
 * an exporter's cannot, and should not: then it stays, unlocked after the minute, for the bucket's lifecycle rule.
 * @param known what `init` found of conditional writes; undefined before it
 */
export async function probeStore(
  bucket: Bucket,
  vault: Pick<Vault, "put">,
  known: Conditional | undefined,
): Promise<Finding[]> {
  const probe = new ProbeObject(bucket);
  const right = { ContentMD5: digest("md5", BYTES) };
  const first = await probe.put(right);
  if (!first.output) {
    const { message, hint = "Grant s3:PutObject and s3:PutObjectRetention, and see what the bucket's policy denies." } =
      first.error;
    return [failure(`a locked object cannot be stored: ${message}`, hint)];
  }
  const { VersionId } = first.output;
  if (!VersionId || VersionId === "null")
    return [failure("the store names no version of what it stored", "Enable versioning.")];
  const retention = await probe.retention(VersionId);
  // A store may keep locks and not know this question: then HEAD says what there is.
  const byHead = !retention.output && isNotImplemented(retention.error.cause);
  const wrong = notAsAsked(probe, byHead ? await probe.lockByHead(VersionId) : retention);
  if (wrong) return [wrong];

  if ((await probe.remove(VersionId)).output) {
    const hint = "Use a store that enforces Object Lock: this one takes locks, and ignores them.";
    return [failure("a locked version can be deleted", hint)];
  }
  const md5 = await probe.put({ ContentMD5: digest("md5", OTHER) });
  const sha256 = await probe.put({ ChecksumSHA256: digest("sha256", OTHER) });
  const conditional = known ? await refusals(probe, right) : await asInit(vault, probe);
  const hidden = await probe.hide();
  const released = await probe.releaseHold(VersionId);
  const bypassed = await probe.shorten(VersionId);
  return [
    ok("a lock is kept as it was asked for, and a locked version is not deleted"),
    ...(byHead ? [ok("the store does not know GetObjectRetention: locks are read with HeadObject")] : []),
    ...checksums(md5, sha256),
    ...conditions(conditional, known),
    isGranted(hidden)
      ? rights.warning("may hide objects behind delete markers: s3:DeleteObject", APART)
      : rights.ok("may not hide objects behind delete markers"),
    bypassed.output
      ? rights.warning(
          "may lift governance locks: s3:BypassGovernanceRetention",
          "Take this right away, or use compliance mode: with it whoever takes over this machine deletes records.",
        )
      : rights.ok("may not lift governance locks"),
    released.output
      ? rights.warning("may lift legal holds: s3:PutObjectLegalHold", APART)
      : rights.ok("may not lift legal holds"),
    await cleanUp(probe, bypassed.output !== undefined),
  ];
}

interface Locked {
  readonly Retention?: { readonly Mode?: string | undefined; readonly RetainUntilDate?: Date | undefined } | undefined;
}

/** What is wrong with the lock of the first probe, if anything is. */
function notAsAsked(probe: ProbeObject, kept: BucketAnswer<Locked>): Finding | undefined {
  if (!kept.output && kept.status === 403) return failure(kept.error.message, kept.error.hint);
  const { Mode, RetainUntilDate } = kept.output?.Retention ?? {};
  if (Mode === undefined) {
    const hint = "Use a bucket with Object Lock enabled, on a store that supports it.";
    return failure("the store accepts a lock and does not keep it", hint);
  }
  if (Mode === "GOVERNANCE" && RetainUntilDate?.getTime() === probe.until.getTime()) return undefined;
  return failure(
    `the store locked ${probe.key} otherwise than it was asked to: ${Mode.toLowerCase()} until ${RetainUntilDate?.toISOString()}`,
    "Find out what overrides the lock of a single object; until then no lock is what the config says.",
  );
}

function checksums(md5: BucketAnswer<unknown>, sha256: BucketAnswer<unknown>): Finding[] {
  if (md5.output) {
    const hint = "Use a store that checks Content-MD5: what is damaged on the way would be stored, and locked.";
    return [failure("the store takes a body that its Content-MD5 does not fit", hint)];
  }
  if (sha256.output) {
    const hint = "verify --read-data finds what was damaged on the way in large files; prefer a store that refuses it.";
    return [warning("the store checks Content-MD5, and ignores x-amz-checksum-sha256", hint)];
  }
  return [ok("a body that its checksum does not fit is refused (Content-MD5, SHA-256)")];
}

/** What conditions that do not hold come to: enough to see whether what `init` found is still so. */
async function refusals(probe: ProbeObject, right: { readonly ContentMD5: string }): Promise<Conditional> {
  const again = await probe.put({ ...right, IfNoneMatch: "*" });
  const other = await probe.put({ ...right, IfMatch: NO_ETAG });
  return { ifNoneMatch: isUnmet(again), ifMatch: isUnmet(other) };
}

/** Before `init` its own probe, on the object that is there by now: both find the same. */
function asInit(vault: Pick<Vault, "put">, { until }: ProbeObject): Promise<Conditional> {
  const lock = { mode: "governance", until: Temporal.Instant.fromEpochMilliseconds(until.getTime()) } as const;
  return probeConditional(vault, PROBE, BYTES, { lock });
}

/** Some stores refuse any If-Match, the right one too: what a refusal means, `init` found out. */
function conditions(is: Conditional, known: Conditional | undefined): Finding[] {
  const names = { ifNoneMatch: "create-only writes (If-None-Match)", ifMatch: "compare-and-swap (If-Match)" };
  return (["ifNoneMatch", "ifMatch"] as const).map((each) => {
    if (known && !known[each]) return ok(`${names[each]}: not relied on, as init found`);
    if (is[each]) return ok(`${names[each]}: honoured`);
    if (!known) return ok(`${names[each]}: not honoured; Holdfast does without, at the price of a look first`);
    return failure(
      `${names[each]}: not honoured, and they were when init tried`,
      "Find out what changed in the store: exports rely on it, so that nothing is stored twice and no log forks.",
    );
  });
}

/** Earlier probes go too, as far as they are unlocked. What these credentials cannot delete is said. */
async function cleanUp(probe: ProbeObject, bypass: boolean): Promise<Finding> {
  const versions = await probe.versions();
  let left = versions.length;
  for (const version of versions) {
    const removed = await probe.remove(version, bypass);
    if (removed.output) left -= 1;
    // Without the right none can be, and those to come are locked still.
    else if (!bypass) break;
  }
  if (left === 0) return ok("the probe was deleted again");
  const stays = left === 1 ? "a probe of 47 bytes stays" : `${left} probes of some 47 bytes stay`;
  return ok(
    `${stays} at ${probe.key}, unlocked after ${probe.until.toISOString()}; the lifecycle rule of config/aws removes such`,
  );
}

function isUnmet(answer: BucketAnswer<unknown>): boolean {
  return "status" in answer && answer.status === 412;
}

/** Refused for any other reason, the right was there: a store decides about that first. */
export function isGranted(answer: BucketAnswer<unknown>): boolean {
  return !("status" in answer) || answer.status !== 403;
}

function digest(name: "md5" | "sha256", bytes: Uint8Array): string {
  return createHash(name).update(bytes).digest("base64");
}
