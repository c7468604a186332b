import type { VaultConfig } from "../config/config.ts";
import { defaultRetry } from "../io/retry.ts";
import { DirectoryVault } from "./directory.ts";
import { metered, type OnRequest } from "./metered.ts";
import { type RetryOptions, withRetry } from "./retry.ts";
import type { S3Options } from "./s3.ts";
import type { Vault } from "./vault.ts";

export interface OpenOptions extends Partial<RetryOptions> {
  /** How long an S3 connection may be silent, in ms. */
  readonly idleTimeout?: number;
  readonly onRequest?: OnRequest | undefined;
}

/** Opens the vault that a client's config names, with retries. */
export async function openVault(
  config: VaultConfig,
  { idleTimeout, onRequest, ...retry }: OpenOptions = {},
): Promise<Vault> {
  const { policy = defaultRetry } = retry;
  const s3 = { retry: policy, ...(idleTimeout === undefined ? {} : { idleTimeout }) };
  const vault = config.kind === "s3" ? await openS3({ ...config, ...s3 }) : new DirectoryVault(config.path);
  return withRetry(onRequest ? metered(vault, onRequest) : vault, { ...retry, policy });
}

/** Loads the AWS SDK only when needed: it would take a third of the program's start time. */
async function openS3(options: S3Options): Promise<Vault> {
  const { S3Vault } = await import("./s3.ts");
  return new S3Vault(options);
}
