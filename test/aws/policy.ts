import { textOf } from "../servers/strict-s3/answer.ts";
import type { Seen } from "../servers/strict-s3.ts";

/** The part of IAM's language that config/aws uses. Throws for anything else, so that no policy is half understood. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: "*";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Policy {
  readonly Version: string;
  readonly Statement: readonly Statement[];
}

/** One right that a request needs. */
export interface Ask {
  readonly action: string;
  readonly resource: string;
  /** The request's condition keys. */
  readonly context: Readonly<Record<string, string>>;
}

const KEYS = new Set(["Sid", "Effect", "Principal", "Action", "Resource", "Condition"]);

/** The statement that allows it; undefined if no statement does, or if any policy denies it. */
export function allowing(own: Policy, bucket: Policy, ask: Ask): Statement | undefined {
  const matching = (policy: Policy) => policy.Statement.filter((statement) => matches(statement, ask));
  const all = [...matching(own), ...matching(bucket)];
  if (all.some(({ Effect }) => Effect === "Deny")) return undefined;
  return all.find(({ Effect }) => Effect === "Allow");
}

function matches(statement: Statement, { action, resource, context }: Ask): boolean {
  for (const key of Object.keys(statement)) if (!KEYS.has(key)) throw new Error(`${statement.Sid}: ${key}`);
  return (
    list(statement.Action).some((pattern) => like(pattern.toLowerCase(), action.toLowerCase())) &&
    list(statement.Resource).some((pattern) => like(pattern, resource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, tests]) =>
      Object.entries(tests).every(([key, expected]) => holds(operator, context[key], String(expected))),
    )
  );
}

/** A condition fails if the request lacks its key, unless it is negated. */
function holds(operator: string, actual: string | undefined, expected: string): boolean {
  switch (operator) {
    case "Bool":
    case "StringEquals":
      return actual === expected;
    case "ArnNotEquals":
    case "StringNotEquals":
      return actual !== expected;
    case "NumericLessThan":
      return actual !== undefined && Number(actual) < Number(expected);
    case "NumericGreaterThan":
      return actual !== undefined && Number(actual) > Number(expected);
    default:
      throw new Error(`condition operator ${operator}`);
  }
}

export function like(pattern: string, text: string): boolean {
  const literal = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`, "s").test(text);
}

export function list(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}

/**
 * The rights that AWS requires for a request: "Actions, resources, and condition keys for Amazon S3" (Service
 * Authorization Reference) and each operation's page. HEAD needs the right to GetObject. Lock and hold in its answer
 * need their own rights, which the server checks itself.
 */
export function asksOf(seen: Seen, principal: string, now: number): Ask[] {
  const { operation, bucket, key, query, headers } = seen;
  const arn = `arn:aws:s3:::${bucket}`;
  const versioned = query.has("versionId");
  const mode = headers["x-amz-object-lock-mode"] ?? textOf(seen.xml, "Mode");
  const until = headers["x-amz-object-lock-retain-until-date"] ?? textOf(seen.xml, "RetainUntilDate");
  const hold = operation === "PutObjectLegalHold" ? textOf(seen.xml, "Status") : undefined;
  const context: Record<string, string> = {
    ...(hold ? { "s3:object-lock-legal-hold": hold } : {}),
    "aws:PrincipalArn": principal,
    "aws:SecureTransport": "true",
    "s3:TlsVersion": "1.3",
    ...(mode ? { "s3:object-lock-mode": String(mode) } : {}),
    ...(until
      ? { "s3:object-lock-remaining-retention-days": String((Date.parse(String(until)) - now) / 86_400_000) }
      : {}),
  };
  const onBucket = (action: string): Ask[] => [{ action, resource: arn, context }];
  const onObject = (...actions: (string | false)[]): Ask[] =>
    actions.flatMap((action) => (action ? [{ action, resource: `${arn}/${key}`, context }] : []));
  const get = versioned ? "s3:GetObjectVersion" : "s3:GetObject";
  const bypass = headers["x-amz-bypass-governance-retention"] === "true" && "s3:BypassGovernanceRetention";
  switch (operation) {
    case "GetBucketVersioning":
      return onBucket("s3:GetBucketVersioning");
    case "GetObjectLockConfiguration":
      return onBucket("s3:GetBucketObjectLockConfiguration");
    case "GetBucketEncryption":
      return onBucket("s3:GetEncryptionConfiguration");
    case "GetPublicAccessBlock":
      return onBucket("s3:GetBucketPublicAccessBlock");
    case "GetBucketPolicyStatus":
      return onBucket("s3:GetBucketPolicyStatus");
    case "GetBucketLifecycleConfiguration":
      return onBucket("s3:GetLifecycleConfiguration");
    case "ListObjectsV2":
      return onBucket("s3:ListBucket");
    case "ListObjectVersions":
      return onBucket("s3:ListBucketVersions");
    case "PutObject":
    case "CreateMultipartUpload":
      return onObject("s3:PutObject", mode !== undefined && "s3:PutObjectRetention");
    case "UploadPart":
    case "CompleteMultipartUpload":
      return onObject("s3:PutObject");
    case "AbortMultipartUpload":
      return onObject("s3:AbortMultipartUpload");
    case "GetObject":
    case "HeadObject":
      return onObject(get);
    case "GetObjectRetention":
      return onObject("s3:GetObjectRetention");
    case "PutObjectRetention":
      return onObject("s3:PutObjectRetention", bypass);
    case "GetObjectLegalHold":
      return onObject("s3:GetObjectLegalHold");
    case "PutObjectLegalHold":
      return onObject("s3:PutObjectLegalHold");
    case "DeleteObject":
      return onObject(versioned ? "s3:DeleteObjectVersion" : "s3:DeleteObject", bypass);
    default:
      throw new Error(`Holdfast has no use for ${operation}`);
  }
}
