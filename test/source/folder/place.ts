import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parsePointer } from "../../../src/config/pointer.ts";
import type { FolderSourceConfig } from "../../../src/config/source-config.ts";
import { DirectoryStore } from "../../../src/source/folder/directory.ts";
import { FolderSource } from "../../../src/source/folder/folder.ts";
import type { ListedIdentity, Page, Source } from "../../../src/source/source.ts";

/** A folder for drops, and sources that read it. */
export class Place implements AsyncDisposable {
  readonly root: string;
  readonly #sources: Source[] = [];
  /** The time that sources see, in ms: an hour after the files were written. */
  now = Date.now() + 3_600_000;

  constructor(root: string) {
    this.root = root;
  }

  async write(path: string, content: string | Uint8Array): Promise<void> {
    const file = join(this.root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }

  lines(path: string, ...lines: unknown[]): Promise<void> {
    return this.write(
      path,
      lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""),
    );
  }

  /** A time that copies of files may have. */
  touch(path: string, at: string): Promise<void> {
    return utimes(join(this.root, path), new Date(at), new Date(at));
  }

  open(changes: Partial<FolderSourceConfig> = {}): FolderSource {
    const config = configOf(this.root, changes);
    const source = new FolderSource(config, new DirectoryStore(this.root), {
      now: () => Temporal.Instant.fromEpochMilliseconds(this.now),
    });
    this.#sources.push(source);
    return source;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const source of this.#sources) await source.close();
    await rm(this.root, { recursive: true, force: true });
  }
}

export async function place(): Promise<Place> {
  return new Place(await mkdtemp(join(tmpdir(), "holdfast-folder-")));
}

export function configOf(root: string, changes: Partial<FolderSourceConfig> = {}): FolderSourceConfig {
  return {
    ...{
      name: "folder",
      kind: "folder",
      url: `file://${root}`,
      apiKey: undefined,
      retired: false,
      schedule: undefined,
    },
    ...{ rate: { count: 1_000, per: 1_000 }, concurrency: 2, resync: Temporal.Duration.from("P30D") },
    place: { kind: "directory", path: root },
    ready: { kind: "quiet", time: Temporal.Duration.from("PT0S") },
    entries: undefined,
    fields: {
      ...{ id: parsePointer("/id"), updated: parsePointer("/updated"), email: parsePointer("/email") },
      ...{ numbers: [], files: [], data: {} },
    },
    beside: undefined,
    verified: [],
    unverified: [],
    ...changes,
  };
}

export async function pagesOf(source: Source, cursor?: string): Promise<Page[]> {
  return Array.fromAsync(source.pages(cursor === undefined ? {} : { cursor }));
}

export async function listOf(source: Source): Promise<Map<string, ListedIdentity>> {
  const pages = await pagesOf(source);
  return new Map(pages.flatMap(({ identities }) => identities.map((one) => [one.id, one] as const)));
}

export async function bytesOf(source: Source, id: string, name: string): Promise<Buffer> {
  const { files } = await source.dossier(id, { full: true });
  const file = files.find(({ resource }) => resource === name);
  if (file === undefined) throw new Error(`no file ${name}`);
  const { bytes } = await source.file(id, file);
  return Buffer.concat(await Array.fromAsync(bytes));
}

export const UPDATED = "2024-05-06T07:08:09Z";
