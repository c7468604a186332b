import { type FileHandle, mkdir, open, readdir, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { HoldfastError } from "../error.ts";
import { leafHash } from "./merkle.ts";

/** An entry that is durable here and waits for the log. `index` is the place it will have there. */
export interface Journaled {
  readonly index: number;
  readonly bytes: Uint8Array;
}

/**
 * Entries on this machine's disk on their way to the log, so that work counts as done before its batch is written.
 *
 *     <folder>/<first index>.jsonl      lines of `<index> <leaf hash> <entry>`
 *
 * A segment is deleted once the log holds all of it. Only the end of the newest may be torn, by a crash in the middle
 * of an append whose work did not count yet; damage anywhere else is `malformed`.
 */
export class Journal {
  readonly #folder: string;
  #segment: { first: number; next: number; file: FileHandle } | undefined;
  /** Segments with an end, oldest first. */
  readonly #closed: { first: number; next: number }[] = [];
  #waiting: { lines: Journaled[]; done: Promise<void> } | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What an earlier process left, in order; its torn end is cut off. */
  async recover(): Promise<Journaled[]> {
    return state("read the journal", async () => {
      await mkdir(this.#folder, { recursive: true });
      const segments = (await readdir(this.#folder)).filter((name) => /^\d+\.jsonl$/.test(name)).sort(byNumber);
      const found: Journaled[] = [];
      for (const [position, name] of segments.entries()) {
        const first = Number.parseInt(name, 10);
        const lines = await this.#readSegment(name, first, position === segments.length - 1);
        if (lines.length === 0) await rm(join(this.#folder, name));
        else this.#closed.push({ first, next: first + lines.length });
        found.push(...lines);
      }
      for (const [position, { index }] of found.entries()) {
        if (index !== found[0]!.index + position) throw damaged(this.#folder, "its segments do not follow each other");
      }
      return found;
    });
  }

  async #readSegment(name: string, first: number, newest: boolean): Promise<Journaled[]> {
    const path = join(this.#folder, name);
    const text = await readFile(path, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole.length < text.length) {
      if (!newest) throw damaged(path, "it ends in the middle of a line");
      await truncate(path, Buffer.byteLength(whole));
    }
    return whole
      .split("\n")
      .slice(0, -1)
      .map((line, position) => parseLine(line, first + position, path));
  }

  /** Resolves when the entry is on the disk. Appends that come together share one fsync. */
  append(entry: Journaled): Promise<void> {
    if (this.#waiting) {
      this.#waiting.lines.push(entry);
      return this.#waiting.done;
    }
    const lines = [entry];
    const done = this.#writing.then(() => {
      this.#waiting = undefined;
      return state("write the journal", () => this.#write(lines));
    });
    this.#waiting = { lines, done };
    this.#writing = done.catch(() => {});
    return done;
  }

  async #write(lines: readonly Journaled[]): Promise<void> {
    const { index } = lines[0]!;
    this.#segment ??= await this.#create(index);
    await this.#segment.file.appendFile(lines.map(formatLine).join(""));
    await this.#segment.file.datasync();
    this.#segment.next = index + lines.length;
  }

  async #create(first: number): Promise<{ first: number; next: number; file: FileHandle }> {
    const file = await open(join(this.#folder, `${first}.jsonl`), "ax", 0o600);
    const folder = await open(this.#folder, "r");
    await folder.sync();
    await folder.close();
    return { first, next: first, file };
  }

  /** Forgets entries before `size`: the log holds them. Later entries go to a new segment. */
  async release(size: number): Promise<void> {
    const released = this.#writing.then(() =>
      state("write the journal", async () => {
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
    mend: "Somebody or something changed it. Keep a copy, then move it away: what it held and the log does not is exported again.",
  });
}

const byNumber = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10);

/** The state directory's failures, in Holdfast's words. */
export async function state<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new HoldfastError("state", `cannot ${what}: ${code ?? "unknown"}`, {
      cause,
      mend: "Check the state directory: space, rights, and that it is a local disk. Nothing is lost; run again after.",
    });
  }
}
