import { createHash } from "node:crypto";
import { pipeline, Readable } from "node:stream";
import { parse } from "csv-parse";
import * as z from "zod";
import { HoldfastError } from "../core/error.ts";
import type { InventoryPlace } from "../verify/inventory-place.ts";
import type { TaskOutcomes } from "./outcomes.ts";
import { type CompletionReport, parseReport, unusable } from "./report.ts";
import { keyIn, type Place } from "./s3-csv.ts";

/** The longest row, in bytes: a key, encoded, and the store's message. */
const MAX_ROW = 65_536;
const COPY = "Copy the report again, or name it where S3 wrote it.";

const row = z.object({
  Bucket: z.string(),
  Key: z.string(),
  VersionId: z.string(),
  TaskStatus: z.string(),
  ErrorCode: z.string().optional(),
  HTTPStatusCode: z.string().optional(),
});

interface Reading {
  readonly place: Place;
  readonly into: TaskOutcomes;
  readonly signal: AbortSignal;
}

/** Reads a whole completion report and checks its digests. Throws `usage` if it cannot be used. */
export async function readReport(from: InventoryPlace, number: number, reading: Reading): Promise<void> {
  const report = parseReport(await from.read("manifest.json"));
  for (const file of report.files) await readFile(from, report, file, number, reading);
}

async function readFile(
  from: InventoryPlace,
  { columns }: CompletionReport,
  { key, md5, succeeded }: CompletionReport["files"][number],
  report: number,
  { place, into, signal }: Reading,
): Promise<void> {
  const hash = createHash("md5");
  const hashed = async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    const parser = parse({ columns: [...columns], max_record_size: MAX_ROW });
    // The parser's reader gets every error.
    pipeline(Readable.from(hashed(await from.stream(key))), parser, () => {});
    for await (const values of parser as AsyncIterable<unknown>) {
      if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; nothing was changed");
      const read = row.safeParse(values);
      if (!read.success) throw unusable(`a row of ${key} is incomplete`, COPY);
      const { Bucket, Key, VersionId, TaskStatus, ...codes } = read.data;
      if (Bucket !== place.bucket) throw unusable(`a row of ${key} is of another bucket`);
      const found = keyIn(place, Key);
      if (found === undefined) throw unusable(`a row of ${key} names an object that is not in the vault`);
      // Both the file and the row must say so.
      const failure = succeeded && TaskStatus === "succeeded" ? "" : codeOf(codes);
      into.report({ ...found, versionId: VersionId, failure }, report);
    }
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw unusable(`${key} cannot be read`, COPY, error);
  }
  if (hash.digest("hex") !== md5) throw unusable(`${key} does not match the MD5 in its manifest`, COPY);
}

/**
 * The store's code for a failure. S3 says that ErrorCode comes before HTTPStatusCode, and writes them the other way round.
 */
function codeOf({ ErrorCode = "", HTTPStatusCode = "" }: Partial<z.output<typeof row>>): string {
  const named = [ErrorCode, HTTPStatusCode].find((text) => /^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(text));
  const status = [ErrorCode, HTTPStatusCode].find((text) => /^\d{3}$/.test(text));
  return named ?? (status === undefined ? "unknown" : `HTTP ${status}`);
}
