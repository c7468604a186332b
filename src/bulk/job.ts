import { hash } from "node:crypto";
import type { Lock } from "../vault/vault.ts";
import { partitionOf } from "./aws.ts";

/** What a job of S3 Batch Operations is made from. */
export interface Job {
  readonly client: string;
  readonly region: string | undefined;
  /** The folder in the bucket of manifests. */
  readonly folder: string;
  readonly file: string;
  readonly sha256: string;
  readonly lock: Lock;
}

/**
 * The commands for a shell that uploads a manifest and creates its job: $ACCOUNT is the AWS account, $ROLE the job's role,
 * $BUCKET the bucket for manifests and reports. Only letters that a shell and JSON leave alone come from outside.
 */
export function commandOf({ client, region, folder, file, sha256, lock }: Job): string {
  const partition = partitionOf(region);
  const path = `${folder}/${file}`;
  const until = lock.until.toString();
  const operation = { S3PutObjectRetention: { Retention: { RetainUntilDate: until, Mode: lock.mode.toUpperCase() } } };
  const spec = { Format: "S3BatchOperations_CSV_20180820", Fields: ["Bucket", "Key", "VersionId"] };
  // As text, the ETag comes with its quotes. A large upload has an ETag that is no digest of the file.
  const etag = `$(aws s3api head-object --bucket "$BUCKET" --key ${path} --query ETag --output text)`;
  const manifest = `'{"Spec":${JSON.stringify(spec)},"Location":{"ObjectArn":"arn:${partition}:s3:::'"$BUCKET"'/${path}","ETag":'"${etag}"'}}'`;
  const report = `'{"Bucket":"arn:${partition}:s3:::'"$BUCKET"'","Format":"Report_CSV_20180820","Enabled":true,"Prefix":"${folder}/reports","ReportScope":"AllTasks"}'`;
  const create = [
    `aws s3control create-job --account-id "$ACCOUNT" --role-arn "$ROLE"`,
    ...(region === undefined ? [] : [`--region ${region}`]),
    // The same manifest for the same date makes one job, however often this is run.
    `--priority 10 --no-confirmation-required --client-request-token ${hash("sha256", `${path} ${sha256}`)}`,
    `--description 'Holdfast, ${client}: locks until ${until}'`,
    `--operation '${JSON.stringify(operation)}'`,
    `--manifest ${manifest}`,
    `--report ${report}`,
  ];
  // S3 Batch Operations reads no manifest under SSE-KMS.
  return `aws s3 cp --sse AES256 ${file} "s3://$BUCKET/${path}" && ${create.join(" ")}`;
}
