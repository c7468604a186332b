import { S3Vault } from "../../src/vault/s3.ts";
import { cephEndpoint, lockedBucket, withoutCeph } from "../servers/s3.ts";
import { conformance } from "./conformance.ts";

conformance(
  "S3 on Ceph RGW",
  async () => ({
    vault: new S3Vault({
      bucket: await lockedBucket(),
      prefix: "holdfast/acme",
      endpoint: cephEndpoint,
      forcePathStyle: true,
      concurrency: 4,
    }),
    ifNoneMatch: false,
    // On a versioned bucket it answers 412 to the right etag too.
    ifMatch: false,
  }),
  { skip: withoutCeph },
);
