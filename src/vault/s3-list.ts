import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { type RetryPolicy, retrying } from "../io/retry.ts";
import { s3Error } from "./s3-errors.ts";

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
