import { S3Vault } from "../../src/vault/s3.ts";
import { lockedBucket } from "../servers/s3.ts";
import { startStrictS3 } from "../servers/strict-s3.ts";
import { conformance } from "./conformance.ts";

conformance("S3 as strict as AWS", async () => {
  const server = await startStrictS3({ pageSize: 2 });
  return {
    vault: new S3Vault({
      bucket: await lockedBucket(server.endpoint),
      prefix: "holdfast/acme",
      endpoint: server.endpoint,
      forcePathStyle: true,
      concurrency: 4,
    }),
    ifNoneMatch: true,
    ifMatch: true,
    close: () => server.close(),
  };
});
