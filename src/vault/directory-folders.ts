import { mkdir, rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { syncFolder } from "../io/durable-file.ts";
import { noFile } from "../io/is-there.ts";

/** The folders of a directory vault. Created when a key needs them, removed with the last object in them. */
export class Folders {
  readonly #root: string;
  /** Folders known to exist and to be synced in their parents. */
  readonly #made = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  async make(path: string): Promise<void> {
    if (this.#made.has(path)) return;
    const first = await mkdir(path, { recursive: true });
    if (first !== undefined) {
      for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
    }
    if (this.#made.size > 10_000) this.#made.clear();
    this.#made.add(path);
  }

  /** Call this when another process may have removed the folder. */
  forget(path: string): void {
    this.#made.delete(path);
  }

  /** Permanently removes a name, then every folder below the vault's root that this leaves empty. */
  async remove(path: string): Promise<void> {
    await rm(path, { force: true });
    await syncFolder(dirname(path)).catch(noFile);
    for (let folder = dirname(path); folder !== this.#root; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch (error) {
        if (["ENOTEMPTY", "EEXIST", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
        throw error;
      }
      this.#made.delete(folder);
    }
  }
}
