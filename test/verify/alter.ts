import { chmod, link, lstat, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Changes to files that can be undone, in reverse order. A change in place is visible through every hard link, as
 * caused by a failing disk or a person at the machine; `replace` puts another file under the name.
 */
export class Alterations implements AsyncDisposable {
  readonly #undo: (() => Promise<unknown>)[] = [];
  #stashed = 0;

  async edit(path: string, change: (bytes: Buffer) => Uint8Array): Promise<void> {
    const before = await readFile(path);
    const { mode } = await lstat(path);
    const write = async (bytes: Uint8Array): Promise<void> => {
      await chmod(path, 0o600);
      await writeFile(path, bytes);
      await chmod(path, mode);
    };
    await write(change(Buffer.from(before)));
    this.#undo.push(() => write(before));
  }

  async remove(path: string): Promise<void> {
    const stash = `${path}.new-stash${this.#stashed++}`;
    await rename(path, stash);
    this.#undo.push(() => rename(stash, path));
  }

  async create(path: string, bytes: Uint8Array): Promise<void> {
    const made = await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes, { flag: "wx" });
    this.#undo.push(() => rm(made ?? path, { recursive: true, force: true }));
  }

  async replace(path: string, bytes: Uint8Array): Promise<void> {
    await this.remove(path);
    await this.create(path, bytes);
  }

  async swap(one: string, other: string): Promise<void> {
    const [first, second] = await Promise.all([readFile(one), readFile(other)]);
    await this.edit(one, () => second);
    await this.edit(other, () => first);
  }

  /** Puts a link to `target` under the name, as the vault does to show a version. */
  async point(path: string, target: string): Promise<void> {
    await this.remove(path);
    await link(target, path);
    this.#undo.push(() => rm(path, { force: true }));
  }

  /** Adds another step to undo. */
  defer(undo: () => Promise<unknown>): void {
    this.#undo.push(undo);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo();
  }
}

export function flip(bytes: Buffer, bit = Math.floor(bytes.length / 2) * 8): Buffer {
  if (bytes.length > 0) bytes[(bit >> 3) % bytes.length]! ^= 1 << (bit & 7);
  return bytes;
}
