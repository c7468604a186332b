import { s3Client } from "../servers/s3.ts";
import { conformance } from "./conformance.ts";
import { inBucket } from "./outside.ts";
import { strictVault } from "./strict-vault.ts";

// Two keys to a page: every listing in the suite spans several pages.
conformance("S3 as strict as AWS", async () => {
  const strict = await strictVault({ pageSize: 2 });
  const bare = s3Client(strict.server.endpoint);
  return {
    ...{ vault: strict.vault, ifNoneMatch: true, ifMatch: true },
    outside: (key) => inBucket(bare, strict.bucket, `holdfast/acme/${key}`),
    close: async () => {
      bare.destroy();
      await strict.server.close();
    },
  };
});
