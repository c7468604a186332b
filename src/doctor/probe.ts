import { createHash } from "node:crypto";
import { PROBE } from "../vault/layout.ts";
import { probeConditional } from "../vault/probe.ts";
import { isNotImplemented } from "../vault/s3-errors.ts";
import type { Conditional, Vault } from "../vault/vault.ts";
import type { BucketAnswer, BucketSettings, Refused } from "./bucket.ts";
import { type Finding, findings } from "./finding.ts";
import { BYTES, NO_ETAG, ProbeObject } from "./probe-object.ts";

const { ok, warning, failure } = findings("store");
const rights = findings("rights");

/** The hint for a right that an exporter does not need. */
export const APART = "Use the exporter's policy from config/aws/holdfast.yaml, which does not include this right.";

/** An exporter needs this right to hold what is new of a person on hold. */
const ONLY_ON =
  "Allow it only where s3:object-lock-legal-hold is ON (StringEquals), as the exporter's policy in config/aws/holdfast.yaml does.";

const OTHER = Buffer.from("something else");

/**
 * Tests on its own object how the store handles locks, conditions and checksums, and whether these credentials can
 * remove a lock. Under Object Lock a write may be permanent, so each write sets a governance lock of one minute by the
 * store's clock. This overrides a bucket's default, which may be years in compliance mode. If the first write is refused,
 * or gets a different lock, nothing more is written.
 *
 * On a correct store this adds one version of some 47 bytes; before `init`, a few. It deletes each if these credentials
 * can. An exporter's cannot, and should not: then the version stays, unlocked after the minute, until the bucket's
 * lifecycle rule removes it.
 * @param known what `init` found about conditional writes; undefined before `init`
 */
export async function probeStore(
  bucket: BucketSettings,
  vault: Pick<Vault, "put">,
  known: Conditional | undefined,
): Promise<Finding[]> {
  const probe = new ProbeObject(bucket);
  const right = { ContentMD5: digest("md5", BYTES) };
  const first = await probe.put(right);
  if (!first.output) {
    const {
      message,
      hint = "Grant s3:PutObject and s3:PutObjectRetention, and check what the bucket's policy denies.",
    } = first.error;
    return [failure(`cannot store a locked object: ${message}`, hint)];
  }
  const { VersionId } = first.output;
  if (!VersionId || VersionId === "null") return [failure("the store returns no version id", "Enable versioning.")];
  const retention = await probe.retention(VersionId);
  // A store may keep locks without knowing this request: then HEAD shows the lock.
  const byHead = !retention.output && isNotImplemented(retention.error.cause);
  const wrong = notAsAsked(probe, byHead ? await probe.lockByHead(VersionId) : retention);
  if (wrong) return [wrong];

  if ((await probe.remove(VersionId)).output) {
    const hint = "Use a store that enforces Object Lock: this one accepts locks but ignores them.";
    return [failure("a locked version can be deleted", hint)];
  }
  const md5 = await probe.put({ ContentMD5: digest("md5", OTHER) });
  const sha256 = await probe.put({ ChecksumSHA256: digest("sha256", OTHER) });
  const conditional = known ? await refusals(probe, right) : await asInit(vault, probe);
  const hidden = await probe.hide();
  const released = await probe.releaseHold(VersionId);
  const bypassed = await probe.shorten(VersionId);
  return [
    ok("Object Lock works: the store keeps a lock as requested, and refuses to delete a locked version"),
    ...(byHead ? [ok("the store does not support GetObjectRetention: Holdfast reads locks with HeadObject")] : []),
    ...checksums(md5, sha256),
    ...conditions(conditional, known),
    isGranted(hidden)
      ? rights.warning("may hide objects behind delete markers: s3:DeleteObject", APART)
      : rights.ok("may not hide objects behind delete markers"),
    bypassed.output
      ? rights.warning(
          "may lift governance locks: s3:BypassGovernanceRetention",
          "Remove this right, or use compliance mode: with it, an attacker on this machine can delete records.",
        )
      : mayNot("lift governance locks", bypassed),
    released.output
      ? rights.warning("may lift legal holds: s3:PutObjectLegalHold is allowed without a condition", ONLY_ON)
      : mayNot("lift legal holds", released),
    await cleanUp(probe, bypassed.output !== undefined),
  ];
}

/** Only a refusal for want of the right says so: a store that does not know the request refuses it too. */
function mayNot(what: string, { status, name }: Refused): Finding {
  if (status === 403) return rights.ok(`may not ${what}`);
  return rights.unknown(
    `whether it may ${what} could not be checked: the store answered ${status ?? "nothing"} ${name}`,
  );
}

interface Locked {
  readonly Retention?: { readonly Mode?: string | undefined; readonly RetainUntilDate?: Date | undefined } | undefined;
}

/** The problem with the first probe's lock, if there is one. */
function notAsAsked(probe: ProbeObject, kept: BucketAnswer<Locked>): Finding | undefined {
  if (!kept.output && kept.status === 403) return failure(kept.error.message, kept.error.hint);
  const { Mode, RetainUntilDate } = kept.output?.Retention ?? {};
  if (Mode === undefined) {
    const hint = "Use a bucket with Object Lock enabled, on a store that supports it.";
    return failure("the store accepts a lock but does not keep it", hint);
  }
  if (Mode === "GOVERNANCE" && RetainUntilDate?.getTime() === probe.until.getTime()) return undefined;
  return failure(
    `the store set a different lock on ${probe.key} than requested: ${Mode.toLowerCase()} until ${RetainUntilDate?.toISOString()}`,
    "Find out what overrides the lock of a single object; until then, locks differ from the config.",
  );
}

function checksums(md5: BucketAnswer<unknown>, sha256: BucketAnswer<unknown>): Finding[] {
  if (md5.output) {
    const hint = "Use a store that checks Content-MD5: otherwise data damaged in transit is stored and locked.";
    return [failure("the store accepts a body that does not match its Content-MD5", hint)];
  }
  if (sha256.output) {
    const hint =
      "verify --read-data finds large files that were damaged in transit; a store that refuses them is better.";
    return [warning("the store checks Content-MD5 but ignores x-amz-checksum-sha256", hint)];
  }
  return [ok("the store rejects corrupted uploads (Content-MD5, SHA-256)")];
}

/** Tests false conditions: enough to see whether the findings of `init` still apply. */
async function refusals(probe: ProbeObject, right: { readonly ContentMD5: string }): Promise<Conditional> {
  const again = await probe.put({ ...right, IfNoneMatch: "*" });
  const other = await probe.put({ ...right, IfMatch: NO_ETAG });
  return { ifNoneMatch: isUnmet(again), ifMatch: isUnmet(other) };
}

/** Before `init`, runs the same test as `init`, on the object that exists by now. */
function asInit(vault: Pick<Vault, "put">, { until }: ProbeObject): Promise<Conditional> {
  const lock = { mode: "governance", until: Temporal.Instant.fromEpochMilliseconds(until.getTime()) } as const;
  return probeConditional(vault, PROBE, BYTES, { lock });
}

/** Some stores refuse every If-Match, even a matching one; `init` found out which kind this is. */
function conditions(is: Conditional, known: Conditional | undefined): Finding[] {
  const names = { ifNoneMatch: "create-only writes (If-None-Match)", ifMatch: "compare-and-swap (If-Match)" };
  return (["ifNoneMatch", "ifMatch"] as const).map((each) => {
    if (known && !known[each]) return ok(`${names[each]}: not used, because init found no support`);
    if (is[each]) return ok(`${names[each]}: supported`);
    if (!known)
      return ok(`${names[each]}: not supported; Holdfast checks before each write instead (one more request)`);
    return failure(
      `${names[each]}: no longer supported, but they were when init tested them`,
      "Find out what changed in the store: exports rely on this to store nothing twice and to keep the log from forking.",
    );
  });
}

/** Deletes earlier probes too, if they are unlocked. Reports what these credentials cannot delete. */
async function cleanUp(probe: ProbeObject, bypass: boolean): Promise<Finding> {
  const versions = await probe.versions();
  let left = versions.length;
  for (const version of versions) {
    const removed = await probe.remove(version, bypass);
    if (removed.output) left -= 1;
    // Without the right none can be deleted, and the newer ones are still locked.
    else if (!bypass) break;
  }
  if (left === 0) return ok("the probe was deleted");
  const stays = left === 1 ? "a probe of 47 bytes stays" : `${left} probes of some 47 bytes stay`;
  return ok(
    `${stays} at ${probe.key}, unlocked after ${probe.until.toISOString()}; the lifecycle rule of config/aws removes it`,
  );
}

function isUnmet(answer: BucketAnswer<unknown>): boolean {
  return "status" in answer && answer.status === 412;
}

/** A refusal for any other reason means that the right exists: a store checks rights first. */
export function isGranted(answer: BucketAnswer<unknown>): boolean {
  return !("status" in answer) || answer.status !== 403;
}

function digest(name: "md5" | "sha256", bytes: Uint8Array): string {
  return createHash(name).update(bytes).digest("base64");
}
