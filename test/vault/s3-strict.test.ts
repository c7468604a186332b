import { conformance } from "./conformance.ts";
import { strictVault } from "./strict-vault.ts";

// Two keys to a page: every listing of the suite goes on from one page to the next.
conformance("S3 as strict as AWS", async () => {
  const strict = await strictVault({ pageSize: 2 });
  return { vault: strict.vault, ifNoneMatch: true, ifMatch: true, close: () => strict.server.close() };
});
