import { randomBytes } from "node:crypto";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";

process.env.AWS_ACCESS_KEY_ID ??= "test";
process.env.AWS_SECRET_ACCESS_KEY ??= "testtest";
process.env.AWS_REGION ??= "us-east-1";

/** The endpoint of the real S3 server that test/setup.ts started. Undefined if it is not available. */
export const cephEndpoint: string | undefined = process.env.HOLDFAST_TEST_S3 || undefined;

/** For `test(name, { skip })`: false if the server runs. In CI, test/setup.ts fails instead. */
export const withoutCeph: string | false = cephEndpoint ? false : "Ceph RGW is not installed";

export function s3Client(endpoint: string = cephEndpoint ?? ""): S3Client {
  return new S3Client({
    endpoint,
    forcePathStyle: true,
    region: "us-east-1",
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
}

/** A new bucket with Object Lock. */
export async function lockedBucket(endpoint: string = cephEndpoint ?? ""): Promise<string> {
  const client = s3Client(endpoint);
  const Bucket = `t-${randomBytes(6).toString("hex")}`;
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  client.destroy();
  return Bucket;
}
