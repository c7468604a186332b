import type { S3VaultConfig } from "../config/config.ts";

/** Whether the store is AWS: only it has S3 Batch Operations. */
export function isAws({ endpoint }: Pick<S3VaultConfig, "endpoint">): boolean {
  return endpoint === undefined || /(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}

/** The first part of the names of everything in a region. */
export function partitionOf(region: string | undefined): string {
  if (region?.startsWith("cn-")) return "aws-cn";
  return region?.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}
