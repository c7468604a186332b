import {
  GetBucketEncryptionCommand,
  GetBucketPolicyStatusCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import type { BucketSettings, Refused } from "./bucket.ts";
import { type Finding, findings } from "./finding.ts";

const CHECK = "bucket";
const { ok, warning, failure } = findings(CHECK);

const MADE =
  "Object Lock must be enabled when a bucket is created: use config/aws/holdfast.yaml, or aws s3api create-bucket --object-lock-enabled-for-bucket …";

/** The error codes for a setting that is not set; and for an unsupported request. */
const NOT_SET =
  /^(NoSuch|ObjectLockConfigurationNotFound|ServerSideEncryptionConfigurationNotFound|ReplicationConfigurationNotFound)/;

/** Checks that the bucket keeps its objects. `locks` says whether testing a lock makes sense. */
export async function checkKeeping(bucket: BucketSettings): Promise<{ found: Finding[]; locks: boolean }> {
  const versioning = await bucket.ask("GET versioning", (s3, at) => s3.send(new GetBucketVersioningCommand(at)));
  // The first request shows a missing bucket, bad credentials or a wrong region; every further answer would repeat it.
  if (!versioning.output) return { found: [failure(versioning.error.message, versioning.error.hint)], locks: false };
  const { Status = "off" } = versioning.output;
  const versioned = Status === "Enabled";
  const found = [
    versioned
      ? ok("versioning is on")
      : failure(
          `versioning is ${Status.toLowerCase()}: an object can be overwritten`,
          Status === "Suspended" ? "Enable it: aws s3api put-bucket-versioning … Status=Enabled." : MADE,
        ),
  ];
  const lock = await bucket.ask("GET Object Lock", (s3, at) => s3.send(new GetObjectLockConfigurationCommand(at)));
  if (!lock.output && lock.status === 403)
    return { found: [...found, failure(lock.error.message, lock.error.hint)], locks: false };
  const configuration = lock.output?.ObjectLockConfiguration;
  if (configuration?.ObjectLockEnabled !== "Enabled") {
    return { found: [...found, failure("Object Lock is off: an object can be deleted", MADE)], locks: false };
  }
  const { Mode, Days, Years } = configuration.Rule?.DefaultRetention ?? {};
  const span = Years ? `${Years} years` : `${Days ?? 0} days`;
  found.push(
    Mode === "COMPLIANCE"
      ? warning(
          `Object Lock is on; the default locks objects for ${span} in compliance mode, even those that Holdfast does not lock (lease.json)`,
          "Set a short default in governance mode: Holdfast sets the lock of each object that needs one.",
        )
      : ok(
          `Object Lock is on; default: ${Mode ? `${span}, governance` : "no lock, and Holdfast sets each lock itself"}`,
        ),
  );
  return { found, locks: versioned };
}

export async function checkEncryption(bucket: BucketSettings): Promise<Finding> {
  const answer = await bucket.ask("GET encryption", (s3, at) => s3.send(new GetBucketEncryptionCommand(at)));
  if (!answer.output && !NOT_SET.test(answer.name)) {
    return notKnown(CHECK, "default encryption", "s3:GetEncryptionConfiguration", answer);
  }
  const [rule] = answer.output?.ServerSideEncryptionConfiguration?.Rules ?? [];
  const algorithm = rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm;
  if (algorithm === undefined) {
    const hint = "Turn it on (SSE-S3 or SSE-KMS): Holdfast seals the records, but not the names and sizes in the log.";
    return warning("no default encryption", hint);
  }
  const kms = algorithm.startsWith("aws:kms") ? ": the exporter needs kms:GenerateDataKey on its key" : "";
  return ok(`default encryption ${algorithm}${kms}`);
}

export async function checkPublicAccess(bucket: BucketSettings): Promise<Finding> {
  const hint = "Block all public access: aws s3api put-public-access-block … with all four settings true.";
  const status = await bucket.ask("GET policy status", (s3, at) => s3.send(new GetBucketPolicyStatusCommand(at)));
  if (status.output?.PolicyStatus?.IsPublic) return failure("the bucket's policy makes it public", hint);
  const block = await bucket.ask("GET public access block", (s3, at) => s3.send(new GetPublicAccessBlockCommand(at)));
  if (!block.output) {
    if (!NOT_SET.test(block.name)) return notKnown(CHECK, "public access", "s3:GetBucketPublicAccessBlock", block);
    return warning("Block Public Access is off (the bucket is not public at the moment)", hint);
  }
  const { BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets } =
    block.output.PublicAccessBlockConfiguration ?? {};
  if (BlockPublicAcls && IgnorePublicAcls && BlockPublicPolicy && RestrictPublicBuckets)
    return ok("public access is blocked");
  const some = BlockPublicAcls || IgnorePublicAcls || BlockPublicPolicy || RestrictPublicBuckets;
  return warning(
    `Block Public Access is ${some ? "only partly on" : "off (the bucket is not public at the moment)"}`,
    hint,
  );
}

/** A setting that these credentials may not read, or that the store does not support, is unknown; that is not a failure. */
export function notKnown(check: string, what: string, right: string, { status, name }: Refused): Finding {
  const { warning } = findings(check);
  if (status === 403) {
    return warning(`${what}: could not check without ${right}`, `Grant ${right}, which only reads a setting.`);
  }
  const said = `${status ?? "no answer"} ${name}`;
  return warning(`${what}: could not check, the store does not say (${said})`, "Check it with the store's own tools.");
}
