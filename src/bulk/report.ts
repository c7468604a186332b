import * as z from "zod";
import { HoldfastError } from "../core/error.ts";

/** The columns that are used. */
const COLUMNS = ["Bucket", "Key", "VersionId", "TaskStatus"];

/** Untrusted: it lies in a bucket of its own. */
const schema = z.object({
  Format: z.literal("Report_CSV_20180820"),
  ReportCreationDate: z.string(),
  ReportSchema: z.string(),
  Results: z.array(
    z.object({
      TaskExecutionStatus: z.string(),
      // The last part also names a file on this machine.
      Key: z.string().regex(/^(?:.*\/)?[A-Za-z0-9_-][A-Za-z0-9._-]*$/s),
      MD5Checksum: z.string().regex(/^[0-9a-fA-F]{32}$/),
    }),
  ),
});

/** The completion report of a job: the files with its tasks. */
export interface CompletionReport {
  readonly columns: readonly string[];
  readonly files: readonly { readonly key: string; readonly md5: string; readonly succeeded: boolean }[];
}

/** Checks the manifest.json of a completion report. Throws `usage`. */
export function parseReport(bytes: Uint8Array): CompletionReport {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw unusable("its manifest is not JSON");
  }
  const read = schema.safeParse(json);
  if (!read.success) throw unusable("its manifest is not one that S3 Batch Operations writes");
  const { ReportSchema, Results } = read.data;
  const columns = ReportSchema.split(",").map((name) => name.trim());
  const missing = COLUMNS.filter((name) => !columns.includes(name));
  if (missing.length > 0) throw unusable(`it lacks ${missing.join(", ")}`);
  return {
    columns,
    files: Results.map(({ Key, MD5Checksum, TaskExecutionStatus }) => ({
      ...{ key: Key, md5: MD5Checksum.toLowerCase(), succeeded: TaskExecutionStatus === "succeeded" },
    })),
  };
}

export function unusable(what: string, hint?: string, cause?: unknown): HoldfastError {
  return new HoldfastError("usage", `the completion report cannot be used: ${what}; nothing was logged`, {
    cause,
    hint: hint ?? "Name the manifest.json of a job's completion report, or the folder that has it.",
  });
}
