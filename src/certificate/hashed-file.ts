import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { openDurable } from "../io/durable-file.ts";
import { writingFile } from "../io/file-error.ts";

/** Each write waits for the disk, so text is gathered: characters. */
const GATHERED = 1024 * 1024;

/** A new file that is written piece by piece, and hashed as it is. It is on the disk when `end` resolves. */
export class HashedFile implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #held: string[] = [];
  #size = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<HashedFile> {
    return new HashedFile(path, await writingFile(path, () => openDurable(path, "create")));
  }

  async write(text: string): Promise<void> {
    this.#held.push(text);
    this.#size += text.length;
    if (this.#size >= GATHERED) await this.#flush();
  }

  /** Its SHA-256, lower-case hex. */
  async end(): Promise<string> {
    await this.#flush();
    return this.#hash.digest("hex");
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#held.join(""));
    this.#held = [];
    this.#size = 0;
    this.#hash.update(bytes);
    await writingFile(this.#path, async () => {
      for (let at = 0; at < bytes.length; ) at += (await this.#file.write(bytes, at)).bytesWritten;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
