import { CLIENT, type WorkplaceOptions } from "../export/workplace.ts";
import { lockedBucket, withoutCeph } from "../servers/s3.ts";
import { type StrictS3, startStrictS3 } from "../servers/strict-s3.ts";

export type InBucket = (
  name: string,
  open: () => Promise<WorkplaceOptions>,
  skip: string | false,
  close?: () => Promise<void>,
) => void;

/** The same tests in a bucket as strict as AWS, whose listing has many pages, and in one of Ceph RGW. */
export function inBuckets(tests: InBucket): void {
  let server: StrictS3 | undefined;
  const open = async (): Promise<WorkplaceOptions> => {
    server = await startStrictS3({ pageSize: 7 });
    const url = `s3://${await lockedBucket(server.endpoint)}/${CLIENT}`;
    return { client: { vault: { url, endpoint: server.endpoint, forcePathStyle: true } } };
  };
  tests("as strict as AWS", open, false, async () => server?.close());
  tests("Ceph RGW", async () => ({ vault: "ceph" }), withoutCeph);
}
