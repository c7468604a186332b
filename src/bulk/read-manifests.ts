import { createHash } from "node:crypto";
import { join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { parse } from "csv-parse";
import { HoldfastError } from "../core/error.ts";
import { readingFile } from "../io/file-error.ts";
import { type Index, type ManifestFile, unfit } from "./index-file.ts";
import type { TaskOutcomes } from "./outcomes.ts";
import { keyIn, type Place } from "./s3-csv.ts";

/** The longest row, in bytes: a key of 1,024 bytes, each encoded as three, and a version. */
const MAX_ROW = 8_192;

/** Reads every manifest of a folder and holds it against the index. Throws `usage` if one was changed. */
export async function readManifests(
  folder: string,
  { manifests }: Index,
  { place, into, signal }: { readonly place: Place; readonly into: TaskOutcomes; readonly signal: AbortSignal },
): Promise<void> {
  for (const [manifest, of] of manifests.entries()) {
    let rows = 0;
    for await (const [bucket, text = "", versionId = ""] of rowsOf(join(folder, of.file), of)) {
      if (signal.aborted) throw new HoldfastError("interrupted", "interrupted; nothing was changed");
      const found = bucket === place.bucket ? keyIn(place, text) : undefined;
      if (found === undefined) throw unfit(`${of.file} names an object that is not in the vault`);
      into.list({ ...found, versionId, manifest });
      rows += 1;
    }
    if (rows !== of.objects) throw changed(of);
  }
}

async function* rowsOf(path: string, of: ManifestFile): AsyncGenerator<readonly string[]> {
  const hash = createHash("sha256");
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of readingFile(path)) {
      hash.update(chunk);
      yield chunk;
    }
  };
  const parser = parse({ max_record_size: MAX_ROW });
  // The parser's reader gets every error.
  pipeline(Readable.from(hashed()), parser, () => {});
  try {
    yield* parser as AsyncIterable<string[]>;
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw changed(of, error);
  }
  if (hash.digest("hex") !== of.sha256) throw changed(of);
}

function changed({ file }: ManifestFile, cause?: unknown): HoldfastError {
  return unfit(`${file} is not as it was written`, cause);
}
