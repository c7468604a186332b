import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { openDurable } from "../io/durable-file.ts";

/** A text file that is written line by line, with its digest. Durable once closed. */
export class CsvFile {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");
  #lines: string[] = [];
  /** Characters that wait to be written. */
  waiting = 0;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<CsvFile> {
    return new CsvFile(path, await openDurable(path, "append"));
  }

  add(line: string): void {
    this.#lines.push(line);
    this.waiting += line.length;
  }

  async write(): Promise<void> {
    const bytes = Buffer.from(this.#lines.join(""));
    this.#lines = [];
    this.waiting = 0;
    this.#hash.update(bytes);
    await this.#file.appendFile(bytes);
  }

  /** Returns the file's SHA-256. Called once. */
  async close(): Promise<string> {
    try {
      await this.write();
    } finally {
      await this.#file.close();
    }
    return this.#hash.digest("hex");
  }
}
