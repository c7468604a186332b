import { S3Vault } from "../../src/vault/s3.ts";
import { cephEndpoint, lockedBucket, s3Client, withoutCeph } from "../servers/s3.ts";
import { conformance } from "./conformance.ts";
import { inBucket } from "./outside.ts";

conformance(
  "S3 on Ceph RGW",
  async () => {
    const bucket = await lockedBucket();
    const bare = s3Client();
    return {
      vault: new S3Vault({
        bucket,
        prefix: "holdfast/acme",
        endpoint: cephEndpoint,
        forcePathStyle: true,
        concurrency: 4,
      }),
      ifNoneMatch: false,
      // On a versioned bucket it answers even the right etag with 412.
      ifMatch: false,
      outside: (key) => inBucket(bare, bucket, `holdfast/acme/${key}`),
      close: async () => bare.destroy(),
    };
  },
  { skip: withoutCeph },
);
