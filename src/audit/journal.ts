import { type FileHandle, readdir, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { HoldfastError } from "../core/error.ts";
import { openDurable, syncFolder } from "../io/durable-file.ts";
import { isFull } from "../io/file-error.ts";
import { makePrivateFolder } from "../io/private-folder.ts";
import { leafHash } from "./merkle.ts";

/** An entry that is durable on this machine and not in the log yet. `index` is its future place there. */
export interface Journaled {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/**
 * Keeps entries on this machine's disk until they are in the log, so that work counts as done before its batch is
 * written.
 *
 *     <folder>/<first index>.jsonl      lines of `<index> <leaf hash> <entry>`
 *
 * A segment is deleted once the log holds all of it. A crash during an append, whose work does not count yet, may cut
 * off the end of the newest segment. Any other damage is `malformed`.
 */
export class Journal {
  readonly #folder: string;
  #segment: { first: number; next: number; file: FileHandle } | undefined;
  /** Complete segments, oldest first. */
  readonly #closed: { first: number; next: number }[] = [];
  #waiting: { lines: Journaled[]; done: Promise<void> } | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** The error of a failed write. It may have left half a line, so nothing may be written after it. */
  #broken: unknown;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Entries that an earlier process left, in order. Cuts off an incomplete last line. */
  async recover(): Promise<Journaled[]> {
    return state("read the journal", this.#folder, async () => {
      makePrivateFolder(this.#folder);
      const found: Journaled[] = [];
      for (const segment of await this.#segments()) {
        const path = join(this.#folder, segment.name);
        if (segment.torn) await truncate(path, segment.bytes);
        if (segment.lines.length === 0) await rm(path);
        else this.#closed.push({ first: segment.first, next: segment.first + segment.lines.length });
        found.push(...segment.lines);
      }
      return found;
    });
  }

  /** The same for a reader: changes nothing. Empty if there is no journal. */
  async inspect(): Promise<Journaled[]> {
    return state("read the journal", this.#folder, async () => (await this.#segments()).flatMap(({ lines }) => lines));
  }

  async #segments() {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const segments = [];
    let next: number | undefined;
    const sorted = names.filter((name) => /^\d+\.jsonl$/.test(name)).sort(byNumber);
    for (const name of sorted) {
      const path = join(this.#folder, name);
      const first = Number.parseInt(name, 10);
      const text = await readFile(path, "utf8");
      const whole = text.slice(0, text.lastIndexOf("\n") + 1);
      const torn = whole.length < text.length;
      if (torn && name !== sorted.at(-1)) throw damaged(path, "it ends in the middle of a line");
      const lines = whole
        .split("\n")
        .slice(0, -1)
        .map((line, position) => parseLine(line, first + position, path));
      if (lines.length > 0 && next !== undefined && first !== next)
        throw damaged(path, "it does not continue the file before it");
      if (lines.length > 0) next = first + lines.length;
      segments.push({ name, first, lines, torn, bytes: Buffer.byteLength(whole) });
    }
    return segments;
  }

  /** Resolves once the entry is on disk. Concurrent appends share one write. */
  append(entry: Journaled): Promise<void> {
    if (this.#waiting) {
      this.#waiting.lines.push(entry);
      return this.#waiting.done;
    }
    const lines = [entry];
    const done = this.#writing.then(() => {
      this.#waiting = undefined;
      return state("write the journal", this.#folder, () => this.#write(lines));
    });
    this.#waiting = { lines, done };
    this.#writing = done.catch(() => {});
    return done;
  }

  async #write(lines: readonly Journaled[]): Promise<void> {
    if (this.#broken) throw this.#broken;
    const { index } = lines[0]!;
    try {
      this.#segment ??= await this.#create(index);
      await this.#segment.file.appendFile(lines.map(formatLine).join(""));
    } catch (error) {
      this.#broken = error;
      throw error;
    }
    this.#segment.next = index + lines.length;
  }

  async #create(first: number): Promise<{ first: number; next: number; file: FileHandle }> {
    const file = await openDurable(join(this.#folder, `${first}.jsonl`), "append");
    try {
      await syncFolder(this.#folder);
    } catch (error) {
      await file.close();
      throw error;
    }
    return { first, next: first, file };
  }

  /** Deletes segments that end before `size`, because the log holds them. Later entries go to a new segment. */
  async release(size: number): Promise<void> {
    const released = this.#writing.then(() =>
      state("write the journal", this.#folder, async () => {
        if (this.#segment) {
          await this.#segment.file.close();
          this.#closed.push({ first: this.#segment.first, next: this.#segment.next });
          this.#segment = undefined;
        }
        while (this.#closed[0] && this.#closed[0].next <= size) {
          await rm(join(this.#folder, `${this.#closed[0].first}.jsonl`));
          this.#closed.shift();
        }
      }),
    );
    this.#writing = released.catch(() => {});
    await released;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#segment?.file.close();
    this.#segment = undefined;
  }
}

function formatLine({ index, bytes }: Journaled): string {
  return `${index} ${leafHash(bytes).toString("hex")} ${Buffer.from(bytes).toString("utf8")}\n`;
}

function parseLine(line: string, index: number, path: string): Journaled {
  const match = /^(\d{1,16}) ([0-9a-f]{64}) (.*)$/s.exec(line);
  const bytes = Buffer.from(match?.[3] ?? "");
  if (match === null || Number(match[1]) !== index || leafHash(bytes).toString("hex") !== match[2]) {
    throw damaged(path, `the line of entry ${index} is not what was written`);
  }
  return { index, bytes };
}

function damaged(path: string, what: string): HoldfastError {
  return new HoldfastError("malformed", `the journal ${path} is damaged: ${what}`, {
    hint: "Copy the file, then move it away. Holdfast exports again what only this file recorded.",
  });
}

const byNumber = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10);

/** Turns errors of the state directory into HoldfastErrors. @param at where, unless the system names the file */
export async function state<T>(what: string, at: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const { code, path } = cause as NodeJS.ErrnoException;
    throw new HoldfastError("state", `cannot ${what} ${path ?? at} (${code ?? "unknown"})`, {
      cause,
      hint: isFull(cause)
        ? "The disk is full: free or add space, then run again. Nothing is lost."
        : "Check the state directory: it must be a directory (no file, no dangling link) on a local disk, and this user must be able to write to it. Then run again. Nothing is lost.",
    });
  }
}
