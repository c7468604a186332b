import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ListObjectVersionsCommand, type ListObjectVersionsCommandOutput, type S3Client } from "@aws-sdk/client-s3";

/**
 * Every file below a folder that has a key's name or is in a folder with that name, and every hard link to such a file.
 * Leaves out metadata files, which hold no content.
 */
export async function onDisk(root: string, key: string): Promise<string[]> {
  const found: { path: string; ino: number }[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    found.push({ path, ino: (await lstat(path)).ino });
  }
  const own = new Set(found.filter(({ path }) => path.includes(key)).map(({ ino }) => ino));
  return found.flatMap(({ path, ino }) => (own.has(ino) && !/\/\d{8}\.json$/.test(path) ? [path] : []));
}

/** Every version and delete marker of a key, page by page. */
export async function inBucket(client: S3Client, bucket: string, key: string): Promise<string[]> {
  const found: string[] = [];
  for (let from: object | undefined = {}; from !== undefined; ) {
    const page: ListObjectVersionsCommandOutput = await client.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, ...from }),
    );
    for (const { Key, VersionId } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])])
      found.push(`${Key} ${VersionId}`);
    const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page;
    from = page.IsTruncated ? { KeyMarker, VersionIdMarker } : undefined;
  }
  return found;
}
