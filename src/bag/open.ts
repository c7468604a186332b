import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { RecordStored } from "../audit/entry.ts";
import { type ErrorCode, HoldfastError, hasCode, ownError } from "../core/error.ts";
import { fileError, readingFile, writingFile } from "../io/file-error.ts";
import { Unfinished } from "../io/unfinished-folder.ts";
import { parseRecord, type ReadRecord } from "../record/read.ts";
import type { Opener } from "../seal/open.ts";
import { parseKey } from "../vault/layout.ts";
import { dataPath } from "./layout.ts";
import type { SoundBag } from "./reader.ts";

/** A record, or a file of one, that was not opened. Nothing of it is on the disk. */
export interface Unopened {
  readonly subject: string;
  readonly version: string;
  /** Its number in the record, from 1; null for the record itself, and then none of its files is opened. */
  readonly file: number | null;
  readonly code: ErrorCode;
  readonly reason: string;
}

export interface OpenedBag {
  readonly out: string;
  readonly records: number;
  readonly files: number;
  readonly unopened: readonly Unopened[];
}

type Bag = Pick<SoundBag, "retrieval" | "records" | "data" | "here">;
type Opened = { readonly stored: RecordStored; readonly record: ReadRecord };

/** Endings by what the provider said a file is; others have none. A map: the word is untrusted. */
const ENDINGS: ReadonlyMap<string, string> = new Map([
  ...([
    ["image/png", ".png"],
    ["image/jpeg", ".jpg"],
    ["image/webp", ".webp"],
    ["application/pdf", ".pdf"],
  ] as const),
  ...([
    ["video/mp4", ".mp4"],
    ["video/webm", ".webm"],
    ["video/quicktime", ".mov"],
  ] as const),
]);

/** How to fix a wrong key. */
export const OTHER_KEY =
  "Use the private key of one of the recipients in evidence/vault.json, or ask a recipient to run `holdfast reseal`.";

/**
 * Decrypts a bag that was checked: one folder for each person, in it one for each version, with `record.json` and its
 * files. What does not open, or is not what its record says, is named in `unopened` and stops nothing else: what is
 * inside a sealed object is untrusted, because anyone can seal to a public key. The folder appears once all is done.
 * Throws, and leaves nothing, where no record opened.
 */
export async function openBag(
  path: string,
  bag: Bag,
  opener: Opener,
  out: string,
  onRecord: (done: number, total: number) => void,
): Promise<OpenedBag> {
  const made = await Unfinished.folder(out);
  const opening = new Opening(path, bag, opener, made.path);
  try {
    let done = 0;
    for (const versions of Map.groupBy(bag.records, ({ subject }) => subject).values()) {
      const opened: Opened[] = [];
      for (const stored of versions) {
        const record = await opening.openRecord(stored);
        if (record) opened.push({ stored, record });
        onRecord(++done, bag.records.length);
      }
      for (const each of opened) await opening.openFiles(each, opened);
    }
    const { records, files, unopened } = opening;
    const [first] = unopened;
    if (records === 0 && first)
      throw new HoldfastError(
        first.code,
        `no record of this bag opens: ${first.reason}`,
        first.code === "key" ? { hint: OTHER_KEY } : {},
      );
    await made.finish();
    return { out, records, files, unopened };
  } catch (error) {
    await made.abandon();
    throw error;
  }
}

class Opening {
  readonly #path: string;
  readonly #bag: Bag;
  readonly #opener: Opener;
  readonly #out: string;
  readonly unopened: Unopened[] = [];
  records = 0;
  files = 0;

  constructor(path: string, bag: Bag, opener: Opener, out: string) {
    this.#path = path;
    this.#bag = bag;
    this.#opener = opener;
    this.#out = out;
  }

  async openRecord(stored: RecordStored): Promise<ReadRecord | undefined> {
    return this.#attempt(stored, null, async () => {
      const sealed = Buffer.concat(await Array.fromAsync(this.#sealed(stored.object.key)));
      const plain = await this.#opener.open(sealed);
      const record = parseRecord(plain);
      checkRecord(record, stored, this.#bag.retrieval.client);
      const folder = this.#folder(stored);
      await writingFile(folder, () => mkdir(folder, { recursive: true, mode: 0o700 }));
      const file = join(folder, "record.json");
      await writingFile(file, () => writeFile(file, plain, { mode: 0o600, flag: "wx" }));
      this.records += 1;
      return record;
    });
  }

  /** @param versions of the same person: a file's digest is in the record that the file came with */
  async openFiles({ stored, record }: Opened, versions: readonly Opened[]): Promise<void> {
    const listed = new Set(stored.files.map(({ key }) => key));
    for (const [at, file] of record.files.entries()) {
      await this.#attempt(stored, at + 1, async () => {
        if (!listed.has(file.key))
          throw new HoldfastError("unverified", "the log does not list it among the files of this record");
        // The bag was checked: what the log lists and the bag does not hold was destroyed, as the log says.
        if (!this.#bag.data.has(dataPath(file.key))) return;
        const said = file.sha256 ?? digestOf(file.key, versions);
        const path = join(this.#folder(stored), `${at + 1}${ENDINGS.get(file.mediaType) ?? ""}`);
        await this.#file(file.key, said, path);
        this.files += 1;
      });
    }
  }

  /** Removed again where it is not what its record says: nothing unauthenticated stays. */
  async #file(key: string, sha256: string | null, path: string): Promise<void> {
    const hash = createHash("sha256");
    const sealed = this.#sealed(key);
    try {
      const plain = await this.#opener.openStream(sealed);
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
      if (sha256 !== null && sha256 !== hash.digest("hex"))
        throw new HoldfastError("unverified", "it is not the file that the record describes");
    } catch (error) {
      await rm(path, { force: true });
      throw fileError(error, path, "written");
    } finally {
      await sealed.return?.(undefined);
    }
  }

  /** The sealed bytes, which are still those that were checked once their end is reached. */
  async *#sealed(key: string): AsyncGenerator<Uint8Array, void, undefined> {
    const hash = createHash("sha256");
    for await (const chunk of readingFile(join(this.#path, dataPath(key)))) {
      hash.update(chunk);
      yield chunk;
    }
    if (hash.digest("hex") !== this.#bag.here.get(dataPath(key)))
      throw new HoldfastError("incomplete", `${dataPath(key)} was changed while the bag was opened`);
  }

  #folder({ subject, version }: RecordStored): string {
    return join(this.#out, subject, version);
  }

  async #attempt<T>({ subject, version }: RecordStored, file: number | null, work: () => Promise<T>) {
    try {
      return await work();
    } catch (error) {
      const own = ownError(error);
      if (!own || !hasCode(own, "key", "unverified", "malformed", "incomplete")) throw error;
      this.unopened.push({ subject, version, file, code: own.code, reason: own.message });
      return undefined;
    }
  }
}

/** That a record is the one that its entry tells of, as far as it says who it is about; its own name takes the lookup key. */
function checkRecord({ client, identity, files }: ReadRecord, { subject, updated }: RecordStored, of: string): void {
  if (client !== of) throw new HoldfastError("unverified", "the record is another client's");
  if (files.some(({ key }) => parseKey(key)?.subject !== subject))
    throw new HoldfastError("unverified", "the record lists a file of someone else");
  if (identity.updated !== undefined && identity.updated !== updated)
    throw new HoldfastError("unverified", "the record is another version than the log says");
}

function digestOf(key: string, versions: readonly Opened[]): string | null {
  const listed = versions.flatMap(({ record }) => record.files);
  return listed.find((file) => file.key === key && file.sha256 !== null)?.sha256 ?? null;
}
