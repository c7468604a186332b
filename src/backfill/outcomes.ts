import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { HoldfastError } from "../core/error.ts";
import { fileError, isFull } from "../io/file-error.ts";

const HEADER = "line,outcome\n";
/** Lines that a message names. */
const NAMED = 20;

/**
 * What came of each line of a given list, by the line's number: an id never leaves the list. With a path it is a CSV file,
 * to which an interrupted backfill adds the rest; where a line is there twice, the later one counts.
 */
export class Outcomes implements Disposable {
  readonly #file: { readonly path: string; readonly fd: number } | undefined;
  /** The lines of ids that were asked about and are not settled. */
  readonly #lines = new Map<string, number>();
  readonly #notFound = new Set<number>();

  constructor(path?: string) {
    this.#file = path === undefined ? undefined : { path, fd: openReport(path) };
  }

  /** The id of a line will be asked about. */
  expect(line: number, id: string): void {
    this.#lines.set(id, line);
  }

  /** The run has settled this id. */
  settled(id: string, outcome: string): void {
    const line = this.#lines.get(id);
    if (line === undefined) return;
    this.#lines.delete(id);
    this.#write(line, outcome);
  }

  /** What is known of a line without an id that a run could ask about. */
  note(line: number, outcome: "malformed" | "repeated" | "notFound"): void {
    this.#write(line, outcome);
  }

  /** The first lines of which neither the provider nor the vault has anyone. */
  get notFound(): readonly number[] {
    return [...this.#notFound].sort((one, other) => one - other);
  }

  [Symbol.dispose](): void {
    if (this.#file) closeSync(this.#file.fd);
  }

  #write(line: number, outcome: string): void {
    if (outcome === "notFound" && this.#notFound.size < NAMED) this.#notFound.add(line);
    if (!this.#file) return;
    const { path, fd } = this.#file;
    try {
      writeSync(fd, `${line},${wordOf(outcome)}\n`);
    } catch (cause) {
      throw new HoldfastError("state", `${path} cannot be written (${(cause as NodeJS.ErrnoException).code})`, {
        cause,
        hint: isFull(cause)
          ? "Free some space on the disk, then run again: it continues."
          : "Check the disk, then run again: it continues.",
      });
    }
  }
}

/** `notFound` is `not found` for people; codes of errors stay as the log has them. */
const wordOf = (outcome: string): string => (outcome === "notFound" ? "not found" : outcome);

/** Adds to a report of before. Never to another file. */
function openReport(path: string): number {
  try {
    const fd = openSync(path, "a+", 0o600);
    if (fstatSync(fd).size === 0) writeSync(fd, HEADER);
    else {
      const begin = Buffer.alloc(HEADER.length);
      readSync(fd, begin, 0, begin.length, 0);
      if (begin.toString() !== HEADER) {
        closeSync(fd);
        throw new HoldfastError("usage", `${path} is not a report of an earlier backfill`, {
          hint: "Name a file that does not exist yet: Holdfast never overwrites a file.",
        });
      }
    }
    return fd;
  } catch (cause) {
    throw fileError(cause, path, "written", "Name a --report in a folder that exists and that you can write to.");
  }
}
