import {
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { OnDisk, Sight } from "./disk.ts";

/** Everything in a bucket below a prefix, listed by a bare client: the same result as `look` for a directory. */
export async function lookInto(client: S3Client, Bucket: string, prefix: string): Promise<Sight> {
  const sight: Sight = { objects: new Map(), plain: new Set(), others: [], subjects: new Set() };
  for (const kind of ["records/", "files/"]) {
    const Prefix = `${prefix}/${kind}`;
    const {
      Versions = [],
      DeleteMarkers = [],
      IsTruncated,
    } = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix }));
    if (IsTruncated) throw new Error("more objects than one listing has");
    for (const { Key } of DeleteMarkers) sight.others.push(`a delete marker of ${Key}`);
    await Promise.all(
      Versions.map(async ({ Key, VersionId, ETag }) => {
        const key = Key!.slice(prefix.length + 1);
        sight.subjects.add(key.split("/")[2]!);
        const version = { Bucket, Key: Key!, VersionId: VersionId! };
        const { Retention } = await client.send(new GetObjectRetentionCommand(version));
        const { LegalHold } = await client.send(new GetObjectLegalHoldCommand(version)).catch(withoutHold);
        const found: OnDisk = {
          digest: ETag!,
          lockedUntil: (Retention?.RetainUntilDate?.getTime() ?? 0) / 1000,
          mode: Retention?.Mode?.toLowerCase() ?? "",
          held: LegalHold?.Status === "ON",
        };
        const versions = sight.objects.get(key) ?? new Map<string, OnDisk>();
        sight.objects.set(key, versions.set(VersionId!, found));
      }),
    );
  }
  return sight;
}

/** A store may answer this if no hold was ever placed. */
function withoutHold(error: { name?: string }): { LegalHold?: { Status?: string } } {
  if (error.name !== "ObjectLockConfigurationNotFoundError" && error.name !== "NoSuchObjectLockConfiguration")
    throw error;
  return {};
}
