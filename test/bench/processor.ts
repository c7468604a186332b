/**
 * Processor time for each object stored, side by side: a store 20 ms away that takes little of this machine, so that what a
 * program does itself decides, and how many requests it has in flight.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { makeWorkplace } from "../export/workplace.ts";
import { onPath } from "../servers/ceph.ts";
import { lockedBucket, s3Client } from "../servers/s3.ts";
import { AGE, BARE, CONCURRENCY, HOLDFAST, PLAIN, plainFiles, RCLONE, rcloneConfig, rcloneCopy } from "./exporting.ts";
import { type Counted, counted, programOf, server } from "./process.ts";
import type { Report } from "./report.ts";
import { objectsOf, sizesOf, type Workload } from "./workload.ts";

/** To the store and back, in ms. */
export const LATENCY = 20;
export const RESTIC = "restic backup";

export const processorGroup = (size: string): string => `processor time per object, ${size}`;

export async function processor(report: Report, size: string, workload: Workload, rounds: number): Promise<void> {
  const objects = objectsOf(workload);
  await using provider = await server("child/provider.ts", JSON.stringify(workload));
  await using store = await server("child/latent-store.ts", String(LATENCY));
  await using folder = await temporary();
  await using keys = await makeWorkplace({ url: "http://127.0.0.1:9", apiKey: "none" }, { init: false });
  const files = await plainFiles(folder.path, workload);
  const put = async (...recipients: readonly string[]): Promise<Counted> =>
    counted(
      process.execPath,
      [
        join(import.meta.dirname, "child/put.ts"),
        ...[await lockedBucket(store.url), JSON.stringify(sizesOf(workload)), String(CONCURRENCY), ...recipients],
      ],
      { HOLDFAST_TEST_S3: store.url },
    );
  const contenders: Record<string, () => Promise<Counted>> = {
    [HOLDFAST]: async () => {
      await using place = await makeWorkplace(
        { url: provider.url, apiKey: "bench" },
        {
          client: {
            source: { rate: "10000/s", concurrency: CONCURRENCY },
            vault: {
              url: `s3://${await lockedBucket(store.url)}/bench`,
              ...{ endpoint: store.url, forcePathStyle: true, concurrency: CONCURRENCY },
            },
          },
        },
      );
      const used = await counted(process.execPath, programOf("export", place.file));
      if ((await place.stored()).size !== workload.people) throw new Error("not everyone was exported");
      return used;
    },
    [PLAIN]: () => put(),
    [AGE]: () => put(keys.officer.recipient, keys.escrow.recipient),
    ...(onPath("rclone") ? { [RCLONE]: () => rclone(folder.path, store.url, files) } : {}),
    ...(onPath("restic") ? { [RESTIC]: () => restic(store.url, files) } : {}),
  };
  for (const program of ["rclone", "restic"])
    if (!onPath(program)) process.stderr.write(`  ${program} is not installed: left out\n`);
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      const { seconds, cpu } = await contender();
      report.add(processorGroup(size), name, "ms", (1000 * cpu) / objects);
      report.add(`export, ${size}, to a store ${LATENCY} ms away`, name, "objects/s", objects / seconds);
    }
  }
}

async function rclone(folder: string, endpoint: string, files: string): Promise<Counted> {
  const config = await rcloneConfig(folder, await openBucket(endpoint), endpoint);
  return counted("rclone", [...rcloneCopy(config), files, "crypt:"], BARE);
}

async function restic(endpoint: string, files: string): Promise<Counted> {
  const repository = `s3:${endpoint}/${await openBucket(endpoint)}`;
  const env = { ...BARE, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: "correct horse battery staple" };
  const options = ["--quiet", "--no-cache", "--option", `s3.connections=${CONCURRENCY}`];
  await counted("restic", [...options, "init"], env);
  return counted("restic", [...options, "backup", files], env);
}

/** Without Object Lock, for those who set no locks: what they send would be refused where it is in effect. */
async function openBucket(endpoint: string): Promise<string> {
  const Bucket = `open-${process.hrtime.bigint()}`;
  const client = s3Client(endpoint);
  await client.send(new CreateBucketCommand({ Bucket }));
  client.destroy();
  return Bucket;
}

async function temporary(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "holdfast-bench-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
