import { constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, open, opendir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { changed, lost, missing, noFolder, refused } from "./errors.ts";
import { type Changes, DEEPEST, type Item, joined, type OpenFile, type Stat, type Store } from "./store.ts";

/** Not to be led elsewhere by a link, nor to wait for someone who writes into a pipe. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Drops in a directory. No symbolic link below the directory is followed. */
export class DirectoryStore implements Store {
  readonly #root: string;
  /** What readers have not closed yet. */
  readonly #open = new Set<FileHandle>();
  #real: Promise<string> | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  async *list(folder: string): AsyncGenerator<Item> {
    const place = await this.#place(folder);
    if (place === undefined) {
      if (folder === "") throw noFolder("ENOENT", this.#root);
      return;
    }
    try {
      for await (const entry of await opendir(place)) yield { name: entry.name, kind: kindOf(entry) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOTDIR" || folder === "") throw lost(error);
    }
  }

  async stat(path: string): Promise<Stat | undefined> {
    const place = await this.#place(path);
    if (place === undefined) return undefined;
    const found = await lstat(place, { bigint: true }).catch((error: unknown) => {
      throw lost(error);
    });
    if (!found.isFile()) throw refused("a path leads to something that is no file");
    return statOf(found);
  }

  async open(path: string): Promise<OpenFile> {
    const handle = await this.#handle(path);
    try {
      const found = await handle.stat({ bigint: true });
      const place = await this.#place(path);
      const there = place && (await lstat(place, { bigint: true }));
      // A folder on the way may have become a link since it was looked at: what is open must be what lies here.
      if (!found.isFile() || !there || there.ino !== found.ino || there.dev !== found.dev)
        throw refused("a path leads to something that is no file of the folder");
      const close = async (): Promise<void> => {
        if (this.#open.delete(handle)) await handle.close();
      };
      this.#open.add(handle);
      return new DirectoryFile(handle, statOf(found), close);
    } catch (error) {
      await handle.close();
      throw lost(error);
    }
  }

  async #handle(path: string): Promise<FileHandle> {
    const place = join(await this.#top(), path);
    try {
      return await open(place, FLAGS);
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (!isAbsent(code)) throw lost(error);
      // Unless the whole folder is gone: then nothing can be said of the file.
      this.#real = undefined;
      await this.#top();
      throw missing();
    }
  }

  async changes(folder: string, now: number, depth = 0): Promise<Changes> {
    if (depth > DEEPEST) throw refused(`its folders lie more than ${DEEPEST} deep`);
    let last = await this.#changeOf(folder, now);
    let first = Number.POSITIVE_INFINITY;
    for await (const { name, kind } of this.list(folder)) {
      const path = joined(folder, name);
      if (kind === "folder") {
        const inside = await this.changes(path, now, depth + 1);
        last = Math.max(last, inside.last);
        first = Math.min(first, inside.first);
      } else {
        const change = await this.#changeOf(path, now);
        last = Math.max(last, change);
        if (change > 0) first = Math.min(first, change);
      }
    }
    return { last, first };
  }

  async close(): Promise<void> {
    const open = [...this.#open];
    this.#open.clear();
    await Promise.all(open.map((handle) => handle.close()));
  }

  /** A copy may keep the time of its original; the time of the last change to the file itself is of this machine. */
  async #changeOf(path: string, now: number): Promise<number> {
    try {
      const { ctimeMs, mtimeMs } = await lstat(join(await this.#top(), path));
      return mtimeMs > now ? ctimeMs : Math.max(ctimeMs, mtimeMs);
    } catch (error) {
      // It was moved away meanwhile, and changed its folder.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
      throw lost(error);
    }
  }

  /** The real path of what lies below the root; undefined if nothing does. */
  async #place(path: string): Promise<string | undefined> {
    const expected = join(await this.#top(), path);
    try {
      if ((await realpath(expected)) === expected) return expected;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (isAbsent(code)) return undefined;
      throw lost(error);
    }
    throw refused("a path leads through a symbolic link");
  }

  #top(): Promise<string> {
    this.#real ??= realpath(this.#root).catch((error: NodeJS.ErrnoException) => {
      this.#real = undefined;
      throw isAbsent(error.code ?? "") ? noFolder(error.code!, this.#root) : lost(error);
    });
    return this.#real;
  }
}

class DirectoryFile implements OpenFile {
  readonly chunk = 256 * 1024;
  readonly #handle: FileHandle;
  readonly size: number;
  readonly stamp: string;
  readonly close: () => Promise<void>;

  constructor(handle: FileHandle, { size, stamp }: Stat, close: () => Promise<void>) {
    this.#handle = handle;
    this.close = close;
    this.size = size;
    this.stamp = stamp;
  }

  async read(at: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    let size = 0;
    try {
      while (size < length) {
        const { bytesRead } = await this.#handle.read(buffer, size, length - size, at + size);
        if (bytesRead === 0) break;
        size += bytesRead;
      }
    } catch (error) {
      throw lost(error);
    }
    return buffer.subarray(0, size);
  }

  async confirm(): Promise<void> {
    if (statOf(await this.#handle.stat({ bigint: true })).stamp !== this.stamp) throw changed();
  }
}

const isAbsent = (code: string): boolean => ["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(code);

const statOf = ({ size, mtimeNs }: { readonly size: bigint; readonly mtimeNs: bigint }): Stat => ({
  size: Number(size),
  stamp: `${size}-${mtimeNs}`,
});

const kindOf = (entry: Dirent): Item["kind"] => (entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "other");
