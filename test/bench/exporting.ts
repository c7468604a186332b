/** Export compared with other ways to store the same objects, in turn, in a locked Ceph bucket. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { onPath } from "../servers/ceph.ts";
import { lockedBucket } from "../servers/s3.ts";
import { child, holdfast, part, type Ran, run, server } from "./process.ts";
import type { Report } from "./report.ts";
import { contentOf, objectsOf, sizesOf, type Workload } from "./workload.ts";

/** Holdfast's default, used for all contenders. */
export const CONCURRENCY = 16;
/** For the shell loop, which is too slow for all objects. */
const SAMPLE = 40;

/** rclone reads a certificate bundle named in the environment even without TLS, and refuses it. */
export const BARE = { AWS_CA_BUNDLE: undefined };

/** The seconds for all objects. */
type Contender = () => Promise<number>;

export const HOLDFAST = "Holdfast, from the provider";
export const STORE = "Holdfast, without the provider";
export const PLAIN = "same PUTs, no encryption";
export const AGE = "age-encryption + SDK";
export const RCLONE = "rclone crypt";
export const SHELL = "shell loop of age and rclone";

export async function exporting(report: Report, name: string, workload: Workload, rounds: number): Promise<void> {
  const objects = objectsOf(workload);
  await using provider = await server("child/provider.ts", JSON.stringify(workload));
  await using others = await makeOthers(workload);
  const group = `export, ${name}`;
  const peaks: number[] = [];
  const noted = (kind: string, { seconds, meter }: Ran): number => {
    report.add(`S3 requests per object, ${name}`, kind, "requests", meter.requests / objects);
    peaks.push(meter.peak);
    return seconds;
  };
  const contenders: Record<string, Contender> = {
    [STORE]: async () => {
      await using place = await newPlace(provider.url);
      return noted(STORE, await part("store.ts", place.file, JSON.stringify(workload)));
    },
    [PLAIN]: others.plain,
    [HOLDFAST]: async () => {
      await using place = await newPlace(provider.url);
      const ran = await holdfast("export", place.file);
      const [summary] = (JSON.parse(ran.stdout) as { clients: { new: number }[] }).clients;
      if (summary?.new !== workload.people) throw new Error(`${summary?.new} of ${workload.people} were exported`);
      return noted(HOLDFAST, ran);
    },
    [AGE]: others.age,
    ...(onPath("rclone") ? { [RCLONE]: others.rclone, [SHELL]: others.shell } : {}),
  };
  for (let round = 0; round < rounds; round++) {
    for (const [kind, contender] of Object.entries(contenders)) {
      report.add(group, kind, "objects/s", objects / (await contender()));
    }
  }
  report.add(`peak memory, ${name}`, "export", "MB", Math.max(...peaks) / 1e6);
}

/** The gain from more parallel requests to the vault, and their cost in memory: the basis for the default. */
export async function concurrencies(report: Report, name: string, workload: Workload, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const concurrency of [4, 8, CONCURRENCY, 32, 64]) {
      await using place = await newPlace("http://127.0.0.1:9", concurrency);
      const { seconds, meter } = await part("store.ts", place.file, JSON.stringify(workload));
      report.add(`in flight at the vault, ${name}`, String(concurrency), "objects/s", objectsOf(workload) / seconds);
      report.add(`in flight at the vault, ${name}: peak memory`, String(concurrency), "MB", meter.peak / 1e6);
    }
  }
}

function newPlace(url: string, concurrency = CONCURRENCY): Promise<Workplace> {
  return makeWorkplace(
    { url, apiKey: "bench" },
    { vault: "ceph", client: { source: { rate: "10000/s", concurrency: 16 }, vault: { concurrency } } },
  );
}

/** All contenders except Holdfast, with their own buckets and plain files. */
async function makeOthers(workload: Workload) {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-bench-"));
  await using keys = await makeWorkplace({ url: "http://127.0.0.1:9", apiKey: "none" }, { init: false });
  const recipients = [keys.officer.recipient, keys.escrow.recipient];
  const sizes = sizesOf(workload);
  const plain = await plainFiles(folder, workload);
  const put = async (...to: string[]) =>
    (await child("put.ts", await lockedBucket(), JSON.stringify(sizes), String(CONCURRENCY), ...to)).seconds;
  const rclone = (bucket: string) => rcloneConfig(folder, bucket, process.env.HOLDFAST_TEST_S3!);
  return {
    plain: () => put(),
    age: () => put(...recipients),
    rclone: async () => {
      const config = await rclone(await lockedBucket());
      return (await run("rclone", [...rcloneCopy(config), plain, "crypt:"], BARE)).seconds;
    },
    /** A sample, extrapolated to all objects. */
    shell: async () => {
      const bucket = await lockedBucket();
      const config = await rclone(bucket);
      const [a, b] = recipients;
      const one = `age -r ${a} -r ${b} "$f" | rclone --config ${config} rcat s3:${bucket}/$(basename "$f")`;
      const list = `find ${plain} -type f | sort | head -n ${SAMPLE}`;
      const { seconds } = await run("bash", ["-c", `set -e -o pipefail; for f in $(${list}); do ${one}; done`], BARE);
      return (seconds / Math.min(SAMPLE, sizes.length)) * sizes.length;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The workload as files, for contenders that copy a folder. */
export async function plainFiles(folder: string, workload: Workload): Promise<string> {
  const plain = join(folder, "plain");
  for (const [n, size] of sizesOf(workload).entries()) {
    const inside = join(plain, String(n % 256).padStart(3, "0"));
    await mkdir(inside, { recursive: true });
    await writeFile(join(inside, String(n)), contentOf(size));
  }
  return plain;
}

/** The config file of an rclone that encrypts into a bucket. */
export async function rcloneConfig(folder: string, bucket: string, endpoint: string): Promise<string> {
  const config = join(folder, `${bucket}.conf`);
  const { stdout: password } = await run("rclone", ["obscure", "correct horse battery staple"]);
  await writeFile(
    config,
    `[s3]\ntype = s3\nprovider = Ceph\naccess_key_id = ${process.env.AWS_ACCESS_KEY_ID}\n` +
      `secret_access_key = ${process.env.AWS_SECRET_ACCESS_KEY}\nendpoint = ${endpoint}\n` +
      `list_version = 2\nno_check_bucket = true\n\n[crypt]\ntype = crypt\nremote = s3:${bucket}\npassword = ${password.trim()}\n`,
  );
  return config;
}

export function rcloneCopy(config: string): string[] {
  return ["--config", config, "copy", "--transfers", String(CONCURRENCY), "--checkers", String(CONCURRENCY)];
}
