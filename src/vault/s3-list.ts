import {
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type ObjectVersion,
  type S3Client,
} from "@aws-sdk/client-s3";
import { type RetryPolicy, retrying } from "../io/retry.ts";
import { s3Error } from "./s3-errors.ts";
import type { VersionInfo } from "./vault.ts";

/**
 * A vault's place in a bucket. A failed page is requested again, because starting over would repeat all pages before
 * it.
 */
export interface Bucket {
  readonly client: S3Client;
  readonly name: string;
  /** The vault's prefix with its trailing slash. May be empty. */
  readonly prefix: string;
  readonly retry: RetryPolicy;
}

/** The newest versions of keys with this prefix, in key order. */
export async function* listObjects(bucket: Bucket, prefix: string): AsyncGenerator<{ key: string; size: number }> {
  let token: string | undefined;
  do {
    const page = await retrying(() => objectPage(bucket, prefix, token), bucket.retry);
    for (const { Key, Size } of page.Contents ?? []) {
      if (Key !== undefined) yield { key: Key.slice(bucket.prefix.length), size: Size ?? 0 };
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

async function objectPage(bucket: Bucket, prefix: string, token: string | undefined) {
  try {
    return await bucket.client.send(
      new ListObjectsV2Command({
        Bucket: bucket.name,
        Prefix: bucket.prefix + prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
  } catch (error) {
    throw s3Error(error, `LIST ${prefix}`);
  }
}

/** Every version and delete marker of keys with this prefix, by key, newest first. */
export async function* listVersions(bucket: Bucket, prefix: string): AsyncGenerator<VersionInfo> {
  let marker: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
  while (marker !== undefined) {
    const from: { KeyMarker?: string; VersionIdMarker?: string } = marker;
    const page: ListObjectVersionsCommandOutput = await retrying(() => versionPage(bucket, prefix, from), bucket.retry);
    for (const { Key = "", VersionId = "null", Size = 0, deleteMarker } of inOrder(page)) {
      yield { key: Key.slice(bucket.prefix.length), versionId: VersionId, size: Size, deleteMarker };
    }
    marker = page.IsTruncated
      ? {
          ...(page.NextKeyMarker === undefined ? {} : { KeyMarker: page.NextKeyMarker }),
          ...(page.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: page.NextVersionIdMarker }),
        }
      : undefined;
  }
}

async function versionPage(bucket: Bucket, prefix: string, from: object): Promise<ListObjectVersionsCommandOutput> {
  try {
    return await bucket.client.send(
      new ListObjectVersionsCommand({ Bucket: bucket.name, Prefix: bucket.prefix + prefix, ...from }),
    );
  } catch (error) {
    throw s3Error(error, `LIST versions of ${prefix}`);
  }
}

type ListedVersion = Pick<ObjectVersion, "Key" | "VersionId" | "Size" | "LastModified" | "IsLatest"> & {
  deleteMarker: boolean;
};

/**
 * The SDK returns a page's delete markers apart from its versions. This merges them by time, newest first. Versions
 * keep the server's order, which is more reliable than clocks.
 */
function inOrder({ Versions = [], DeleteMarkers = [] }: ListObjectVersionsCommandOutput): ListedVersion[] {
  const markers = DeleteMarkers.map((marker) => ({ ...marker, deleteMarker: true }));
  const ordered: ListedVersion[] = [];
  for (const version of Versions) {
    while (markers.length > 0 && comesFirst(markers[0]!, version)) ordered.push(markers.shift()!);
    ordered.push({ ...version, deleteMarker: false });
  }
  return [...ordered, ...markers];
}

function comesFirst(a: Pick<ListedVersion, "Key" | "LastModified" | "IsLatest">, b: typeof a): boolean {
  if (a.Key !== b.Key) return (a.Key ?? "") < (b.Key ?? "");
  // Some servers give times in whole seconds, but they do mark the newest.
  if (a.IsLatest) return true;
  return Number(a.LastModified ?? 0) > Number(b.LastModified ?? 0);
}
