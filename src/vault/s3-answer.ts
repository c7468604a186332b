import type { Readable } from "node:stream";
import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3";
import { HoldfastError } from "../core/error.ts";
import { s3Error } from "./s3-errors.ts";
import { lockFrom } from "./s3-lock.ts";
import type { ObjectInfo } from "./vault.ts";

export function infoOf(key: string, output: HeadObjectCommandOutput): ObjectInfo {
  return {
    key,
    versionId: output.VersionId ?? "null",
    etag: output.ETag ?? "",
    size: output.ContentLength ?? 0,
    sha256: output.Metadata?.sha256 ?? null,
    lock: lockFrom(output.ObjectLockMode, output.ObjectLockRetainUntilDate),
    hold: output.ObjectLockLegalHoldStatus === "ON",
  };
}

/** Reads a body up to the length that the store announced. A body that ends early is an error. */
export async function* wholeBody(
  body: Readable,
  key: string,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let received = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      received += chunk.length;
      yield chunk;
    }
  } catch (error) {
    throw s3Error(error, `GET ${key}`);
  }
  if (received !== size) {
    throw new HoldfastError("vault-unavailable", `GET ${key}: received ${received} of ${size} bytes`);
  }
}
