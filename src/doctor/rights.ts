import { randomBytes } from "node:crypto";
import { DeleteObjectCommand, HeadObjectCommand, ListObjectVersionsCommand } from "@aws-sdk/client-s3";
import { RECORDS, recordKey } from "../vault/layout.ts";
import type { BucketSettings } from "./bucket.ts";
import { type Finding, findings } from "./finding.ts";
import { APART, isGranted } from "./probe.ts";

const { ok, warning } = findings("rights");

/**
 * Checks rights over records that an exporter does not need. Changes nothing: it requests the head of an object, and the
 * deletion of a version that never existed. A store checks the right first, so its answer shows whether the right is
 * granted.
 */
export async function checkRights(bucket: BucketSettings): Promise<Finding[]> {
  const { prefix } = bucket;
  const absentKey = prefix + recordKey(randomBytes(16).toString("hex"), "doctor");
  const versions = await bucket.ask("LIST versions of records", (s3, at) =>
    s3.send(new ListObjectVersionsCommand({ ...at, Prefix: prefix + RECORDS, MaxKeys: 1 })),
  );
  const [real] = versions.output?.Versions ?? [];
  const head = (object: { Key: string; VersionId?: string }) =>
    bucket.ask("HEAD a record", (s3, at) => s3.send(new HeadObjectCommand({ ...at, ...object })));
  const reading = [await head({ Key: real?.Key ?? absentKey })];
  // A separate right from reading the newest version.
  if (real?.Key && real.VersionId) reading.push(await head({ Key: real.Key, VersionId: real.VersionId }));
  const deleting = await bucket.ask("DELETE a version", (s3, at) =>
    s3.send(new DeleteObjectCommand({ ...at, Key: absentKey, VersionId: "null" })),
  );
  return [
    reading.some(isGranted)
      ? warning("may read the sealed records back: s3:GetObject or s3:GetObjectVersion", APART)
      : ok("may not read records back"),
    isGranted(deleting)
      ? warning("may delete versions whose lock has ended: s3:DeleteObjectVersion", APART)
      : ok("may not delete versions"),
  ];
}
