import type { VaultConfig } from "../config/config.ts";
import { defaultRetry } from "../retry.ts";
import { DirectoryVault } from "./directory.ts";
import { type RetryOptions, withRetry } from "./retry.ts";
import { S3Vault } from "./s3.ts";
import type { Vault } from "./vault.ts";

/** The vault that a client's config names, with retry. */
export function openVault(config: VaultConfig, retry: Partial<RetryOptions> = {}): Vault {
  const { policy = defaultRetry } = retry;
  const vault = config.kind === "s3" ? new S3Vault({ ...config, retry: policy }) : new DirectoryVault(config.path);
  return withRetry(vault, { ...retry, policy });
}
