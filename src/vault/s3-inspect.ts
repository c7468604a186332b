import { GetBucketVersioningCommand, GetObjectLockConfigurationCommand, type S3Client } from "@aws-sdk/client-s3";
import { HoldfastError } from "../core/error.ts";
import { s3Error } from "./s3-errors.ts";
import { NO_LOCK } from "./s3-lock.ts";

/** Throws `vault-unfit` for a bucket without versioning or Object Lock. */
export async function inspectBucket(client: S3Client, bucket: string): Promise<void> {
  const hint =
    "Create the bucket with Object Lock: aws s3api create-bucket --object-lock-enabled-for-bucket … (this also enables versioning).";
  try {
    const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket: bucket }));
    if (Status !== "Enabled") {
      throw new HoldfastError("vault-unfit", `bucket ${bucket}: versioning is not enabled`, { hint });
    }
    const { ObjectLockConfiguration } = await client.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }));
    if (ObjectLockConfiguration?.ObjectLockEnabled !== "Enabled") {
      throw new HoldfastError("vault-unfit", `bucket ${bucket}: Object Lock is not enabled`, { hint });
    }
  } catch (error) {
    const failure = s3Error(error, `inspect bucket ${bucket}`);
    // A store that does not support this request does not support Object Lock either.
    if ((error instanceof Error && NO_LOCK.has(error.name)) || failure.code === "vault-rejected") {
      throw new HoldfastError("vault-unfit", `bucket ${bucket}: Object Lock is not enabled`, {
        cause: error,
        hint,
      });
    }
    throw failure;
  }
}
