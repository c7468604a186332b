import { createHash } from "node:crypto";
import { HoldfastError, hasCode } from "../../core/error.ts";
import { type EntryFile, type FoundDrops, isTaken } from "./drops.ts";
import { entriesOf, type FolderEntry, type Header, Unfit } from "./entries.ts";
import { type DigestList, digestsIn, disposable, manifestOf } from "./manifest.ts";
import type { Mapping } from "./mapping.ts";
import { idOf, valueAt } from "./mapping.ts";
import { Places } from "./places.ts";
import { joined, type Store } from "./store.ts";

/** Where an entry is: the path of its drop, and of its file. */
export interface Home {
  readonly drop: string;
  readonly file: string;
}

/** All that lies there, read once from the oldest drop to the newest: where everyone's entry is. */
export class Scan {
  readonly survey: FoundDrops;
  readonly places = new Places();
  /** By the path of the drop. */
  readonly #manifests = new Map<string, DigestList | undefined>();
  /** Why a file's entries do not count, in words of ours. */
  readonly unfit = new Map<EntryFile, string>();
  readonly #headers = new Map<EntryFile, Header>();

  constructor(survey: FoundDrops) {
    this.survey = survey;
  }

  /** @param file its number */
  home(file: number): Home {
    const { drop, path } = this.survey.files[file]!;
    return { drop: drop.path, file: path };
  }

  header(file: EntryFile): Header | undefined {
    return this.#headers.get(file);
  }

  /** What holds the files of the drop with this path. */
  manifest(drop: string): DigestList | undefined {
    return this.#manifests.get(drop);
  }

  /** What the drop's manifest says of a file. @throws HoldfastError "source-response" if it must name it and does not */
  promised(
    drop: string,
    path: string,
  ): { readonly algorithm: DigestList["algorithm"]; readonly digest: string } | undefined {
    const manifest = this.manifest(drop);
    if (manifest === undefined) return undefined;
    const digest = this.places.promised(path);
    if (digest !== undefined) return { algorithm: manifest.algorithm, digest };
    if (!manifest.isBag) return undefined;
    throw new HoldfastError("source-response", "folder file: the bag's manifest does not name it");
  }

  async read(store: Store, mapping: Mapping, signal: AbortSignal | undefined): Promise<void> {
    for (const drop of this.survey.drops) {
      if (!isTaken(drop)) continue;
      try {
        await this.#readManifest(store, drop.path);
      } catch (error) {
        if (!hasCode(error, "source-response", "source-missing", "source-denied")) throw error;
        const why = whyUnfit(error).replace(/^cannot be read: /, "");
        for (const file of this.survey.files)
          if (file.drop === drop) this.unfit.set(file, `is in a drop whose manifest cannot be used: ${why}`);
      }
    }
    for (const [at, file] of this.survey.files.entries()) {
      signal?.throwIfAborted();
      if (!this.unfit.has(file)) await this.#readFile(store, mapping, at, file);
    }
  }

  async #readManifest(store: Store, drop: string): Promise<void> {
    const manifest = await manifestOf(store, drop);
    if (manifest === undefined) return;
    this.places.begin();
    try {
      for await (const [path, digest] of digestsIn(store, manifest)) this.places.promise(joined(drop, path), digest);
    } finally {
      this.places.keep();
    }
    this.#manifests.set(drop, manifest);
  }

  async #readFile(store: Store, { fields }: Mapping, at: number, file: EntryFile): Promise<void> {
    this.places.begin();
    let done = false;
    try {
      const promised = this.promised(file.drop.path, file.path);
      const hash = promised && createHash(promised.algorithm);
      const onHeader = (header: Header) => void this.#headers.set(file, header);
      let count = 0;
      for await (const entries of read(store, file, { onHeader, watch: (bytes) => hash?.update(bytes) })) {
        count += entries.length;
        for (const entry of entries) {
          const id = entry.why === undefined ? idOf(entry.value, fields) : undefined;
          if (id !== undefined) this.places.put(id, { ...entry, file: at });
        }
      }
      if (hash && hash.digest("hex") !== promised.digest) throw new Unfit("has another digest than the manifest says");
      const columns = this.header(file)?.columns;
      // A table without rows is fine, if it is one that could have people in it.
      if (
        count === 0 &&
        columns &&
        valueAt(Object.fromEntries(columns.map((name) => [name, ""])), fields.id) === undefined
      )
        throw new Unfit("has only a header, without the column that fields.id names");
      done = true;
    } catch (error) {
      this.unfit.set(file, whyUnfit(error));
    } finally {
      if (done) this.places.keep();
      else this.places.discard();
    }
  }

  close(): void {
    this.places.close();
  }
}

/** The entries of a file as the survey found it. */
export async function* read(
  store: Store,
  { path, format, stamp }: EntryFile,
  on?: Parameters<typeof entriesOf>[2],
): AsyncGenerator<readonly FolderEntry[]> {
  await using file = disposable(await store.open(path));
  if (file.of.stamp !== stamp) throw new Unfit("changed while it was read");
  yield* entriesOf(file.of, format, on);
}

/** Rethrows what says nothing about the file. */
export function whyUnfit(error: unknown): string {
  if (error instanceof Unfit) return error.message;
  if (!hasCode(error, "source-response", "source-missing", "source-denied")) throw error;
  return (error as HoldfastError).message.replace(/^folder (file|entry): /, "cannot be read: ");
}
