import { S3Vault } from "../../src/vault/s3.ts";
import { lockedBucket } from "../servers/s3.ts";
import type { StrictOptions } from "../servers/strict-s3/store.ts";
import { type StrictS3, startStrictS3 } from "../servers/strict-s3.ts";

/** Pauses short enough for tests. */
export const QUICK = { retries: 3, minDelay: 1, maxDelay: 4, maxRetryAfter: 1000 };

export interface StrictVault extends AsyncDisposable {
  readonly server: StrictS3;
  readonly vault: S3Vault;
  readonly bucket: string;
}

/** A vault on its own strict server, which starts to count requests here. */
export async function strictVault(options: StrictOptions = {}, idleTimeout = 60_000): Promise<StrictVault> {
  const server = await startStrictS3(options);
  const bucket = await lockedBucket(server.endpoint);
  const vault = vaultOn(server, bucket, idleTimeout);
  server.forget();
  return {
    ...{ server, vault, bucket },
    [Symbol.asyncDispose]: async () => {
      await vault.close();
      await server.close();
    },
  };
}

export function vaultOn({ endpoint }: Pick<StrictS3, "endpoint">, bucket: string, idleTimeout = 60_000): S3Vault {
  const path = { bucket, prefix: "holdfast/acme", endpoint, forcePathStyle: true };
  return new S3Vault({ ...path, concurrency: 4, idleTimeout, retry: QUICK });
}
