import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HoldfastError } from "../../error.ts";
import { parseRecord, type ReadRecord } from "../../record/read.ts";
import type { Opener } from "../../seal/open.ts";
import { dataPath } from "./layout.ts";
import type { Checked } from "./reader.ts";
import { Unfinished } from "./unfinished.ts";

export interface OpenedBag {
  readonly out: string;
  readonly records: number;
  readonly files: number;
}

/** Endings by what the provider said a file is; others have none. */
const ENDINGS: Readonly<Record<string, string>> = {
  ...{ "image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "application/pdf": ".pdf" },
  ...{ "video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov" },
};

/**
 * Decrypts a bag that was checked: one folder for each person, in it one for each version, with `record.json` and its
 * files. Appears whole or not at all; nothing of it before all of it is authenticated.
 */
export async function openBag(
  bag: string,
  { records, data }: Checked,
  opener: Opener,
  out: string,
  onRecord: (done: number, total: number) => void,
): Promise<OpenedBag> {
  const made = await Unfinished.folder(out);
  let files = 0;
  try {
    for (const [done, { subject, version, object }] of records.entries()) {
      const folder = join(made.path, subject, version);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const plain = await opener.open(await readFile(join(bag, dataPath(object.key))));
      const record = parseRecord(plain);
      await writeFile(join(folder, "record.json"), plain, { mode: 0o600, flag: "wx" });
      for (const [at, file] of record.files.entries()) {
        // The bag was checked: what is not in it was destroyed, as the log says.
        if (!data.has(dataPath(file.key))) continue;
        await openFile(bag, file, opener, join(folder, `${at + 1}${ENDINGS[file.mediaType] ?? ""}`));
        files += 1;
      }
      onRecord(done + 1, records.length);
    }
    await made.finish();
    return { out, records: records.length, files };
  } catch (error) {
    await made.abandon();
    throw error;
  }
}

async function openFile(bag: string, file: ReadRecord["files"][number], opener: Opener, path: string): Promise<void> {
  const hash = createHash("sha256");
  const reading = createReadStream(join(bag, dataPath(file.key)));
  try {
    const plain = await opener.openStream(reading);
    async function* hashed(): AsyncGenerator<Uint8Array> {
      for await (const chunk of plain) {
        hash.update(chunk);
        yield chunk;
      }
    }
    await pipeline(
      Readable.from(hashed(), { objectMode: false }),
      createWriteStream(path, { flags: "wx", mode: 0o600 }),
    );
  } finally {
    reading.destroy();
  }
  // The record that a file came with says what it was before it was sealed.
  if (file.sha256 !== null && file.sha256 !== hash.digest("hex")) {
    throw new HoldfastError("unverified", `${dataPath(file.key)} is not the file that its record describes`);
  }
}
