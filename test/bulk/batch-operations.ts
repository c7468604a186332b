import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { PutObjectRetentionCommand, S3ServiceException } from "@aws-sdk/client-s3";
import { parse } from "csv-parse/sync";
import { s3Client } from "../servers/s3.ts";

/** A line of a manifest, as it is there: the key is encoded. */
export type Line = readonly [bucket: string, key: string, versionId: string];

export interface Task {
  readonly line: Line;
  /** `[HTTP status, error code]` of a task that failed. */
  readonly failed?: readonly [status: number, code: string];
}

export interface IndexEntry {
  readonly file: string;
  readonly lockedUntil: string;
  readonly lockMode: string;
  readonly objects: number;
  readonly sha256: string;
  readonly command: string;
}

export interface Manifests {
  readonly made: string;
  readonly left: number;
  readonly manifests: readonly IndexEntry[];
}

export async function indexIn(folder: string): Promise<Manifests> {
  return JSON.parse(await readFile(join(folder, "index.json"), "utf8")) as Manifests;
}

export async function linesOf(folder: string, { file }: IndexEntry): Promise<Line[]> {
  return parse(await readFile(join(folder, file))) as unknown as Line[];
}

/** What CreateJob is asked for. */
export interface CreateJob {
  readonly operation: {
    S3PutObjectRetention: { Retention: { RetainUntilDate: string; Mode: "GOVERNANCE" | "COMPLIANCE" } };
  };
  readonly manifest: { Spec: object; Location: { ObjectArn: string; ETag: string } };
  readonly report: { Bucket: string; Prefix: string; ReportScope: string };
  readonly args: readonly string[];
}

/** Runs the commands of a manifest in a real shell, with an `aws` that only notes what it is asked for. */
export async function runCommand(folder: string, { command }: IndexEntry): Promise<CreateJob> {
  const bin = await mkdtemp(join(folder, "../aws-"));
  const noted = join(bin, "noted");
  const aws = [
    "#!/bin/sh",
    'if [ "$2" = head-object ]; then printf \'"0123abcd"\'; exit; fi',
    // The upload comes first.
    `if [ "$2" = cp ]; then printf '%s\\0' "$@" > ${noted}.cp; exit; fi`,
    `printf '%s\\0' "$@" > ${noted}`,
  ];
  await writeFile(join(bin, "aws"), `${aws.join("\n")}\n`);
  await chmod(join(bin, "aws"), 0o700);
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    ACCOUNT: "123456789012",
    ROLE: "arn:aws:iam::123456789012:role/jobs",
  };
  await promisify(execFile)("sh", ["-c", command], { cwd: folder, env: { ...env, BUCKET: "acme-jobs" } });
  const args = (await readFile(noted, "utf8")).split("\0").slice(0, -1);
  const json = (name: string): never => JSON.parse(args[args.indexOf(name) + 1]!) as never;
  return { operation: json("--operation"), manifest: json("--manifest"), report: json("--report"), args };
}

/** Does the job by a client of its own: sets the retention of each line that is not to fail. Returns what came of each. */
export async function setRetention(tasks: readonly Task[], { operation }: CreateJob): Promise<Task[]> {
  const client = s3Client();
  const { RetainUntilDate, Mode } = operation.S3PutObjectRetention.Retention;
  const done: Task[] = [];
  for (const { line, failed } of tasks) {
    const [Bucket, key, VersionId] = line;
    const Retention = { Mode, RetainUntilDate: new Date(RetainUntilDate) };
    const put = { Bucket, Key: decodeURIComponent(key), VersionId, Retention };
    const refused = failed ?? (await client.send(new PutObjectRetentionCommand(put)).then(() => undefined, codeOf));
    done.push(refused ? { line, failed: refused } : { line });
  }
  client.destroy();
  return done;
}

function codeOf(error: unknown): readonly [number, string] {
  if (!(error instanceof S3ServiceException)) throw error;
  return [error.$metadata.httpStatusCode ?? 500, error.name];
}

/** What a test changes in a completion report. */
export interface Changes {
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Changes the files after their digests were taken. */
  readonly damage?: (text: string) => string;
  /** Lines that are added to those of the succeeded tasks. */
  readonly more?: readonly string[];
}

const SCHEMA = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage";

/** A completion report as S3 writes it: by its name and content, with paths from its bucket. */
export function reportOf(tasks: readonly Task[], { manifest, damage = (text) => text, more = [] }: Changes = {}) {
  const job = `holdfast/reports/job-${"f8fb9d89-a3aa-461d-bddc-ea6a1b131955"}`;
  const rows = (of: readonly Task[]): string[] =>
    of.map(({ line, failed }) =>
      failed
        ? `${line.join(",")},failed,${failed[0]},${failed[1]},"Request failed: ""${failed[1]}"", or so"`
        : `${line.join(",")},succeeded,200,,Successful`,
    );
  const files = [
    { status: "succeeded", lines: [...rows(tasks.filter(({ failed }) => !failed)), ...more] },
    { status: "failed", lines: rows(tasks.filter(({ failed }) => failed)) },
  ].filter(({ lines }) => lines.length > 0);
  const made = new Map<string, string>();
  const results = files.map(({ status, lines }) => {
    const text = `${lines.join("\n")}\n`;
    const key = `${job}/results/${createHash("sha1").update(text).digest("hex")}.csv`;
    made.set(key, damage(text));
    const MD5Checksum = createHash("md5").update(text).digest("hex");
    return { TaskExecutionStatus: status, Bucket: "acme-jobs", MD5Checksum, Key: key };
  });
  const whole = { Format: "Report_CSV_20180820", ReportCreationDate: "2026-11-29T10:00:00.000Z", Results: results };
  made.set(`${job}/manifest.json`, JSON.stringify({ ...whole, ReportSchema: SCHEMA, ...manifest }));
  return { job, files: made };
}

/** Writes a report to a folder as `aws s3 sync` does. Returns the folder with its manifest. */
export async function writeReport(root: string, tasks: readonly Task[], changes?: Changes): Promise<string> {
  const { job, files } = reportOf(tasks, changes);
  for (const [key, text] of files) {
    await mkdir(join(root, key, ".."), { recursive: true });
    await writeFile(join(root, key), text);
  }
  return join(root, job);
}
