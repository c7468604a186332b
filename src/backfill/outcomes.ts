import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { HoldfastError } from "../core/error.ts";
import { fileError, isFull } from "../io/file-error.ts";

const HEADER = "line,outcome,list\n";
/** Hex digits of the list's digest, in each row. */
const DIGITS = 12;
/** Lines that a message names. */
const NAMED = 20;

/**
 * What came of each line of a given list, by the line's number: an id never leaves the list. With a path it is a CSV file,
 * to which an interrupted backfill of the same list adds the rest; where a line is there twice, the later one counts.
 */
export class Outcomes implements Disposable {
  readonly #file: { readonly path: string; readonly fd: number } | undefined;
  /** The lines of ids that were asked about and are not settled. */
  readonly #lines = new Map<string, number>();
  readonly #notFound = new Set<number>();
  readonly #malformed = new Set<number>();
  #malformedCount = 0;
  readonly #list: string;

  /** @param digest of the list, in hex */
  constructor(digest: string, path?: string) {
    this.#list = digest.slice(0, DIGITS);
    this.#file = path === undefined ? undefined : { path, fd: openReport(path, this.#list) };
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

  /** The first lines that are no ids. */
  get malformed(): readonly number[] {
    return [...this.#malformed].sort((one, other) => one - other);
  }

  /** All of them, also those that `malformed` does not name. */
  get malformedCount(): number {
    return this.#malformedCount;
  }

  [Symbol.dispose](): void {
    if (this.#file) closeSync(this.#file.fd);
  }

  #write(line: number, outcome: string): void {
    if (outcome === "malformed") this.#malformedCount += 1;
    const named = outcome === "notFound" ? this.#notFound : outcome === "malformed" ? this.#malformed : undefined;
    if (named && named.size < NAMED) named.add(line);
    if (!this.#file) return;
    const { path, fd } = this.#file;
    try {
      writeSync(fd, `${line},${wordOf(outcome)},${this.#list}\n`);
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

/** Adds to a report of the same list. Never to another file. */
function openReport(path: string, list: string): number {
  try {
    const fd = openSync(path, "a+", 0o600);
    if (fstatSync(fd).size === 0) writeSync(fd, HEADER);
    else {
      const begin = Buffer.alloc(200);
      const read = readSync(fd, begin, 0, begin.length, 0);
      const [header, row] = begin.toString("latin1", 0, read).split("\n");
      const isReport = `${header}\n` === HEADER;
      if (!isReport || (row && row.split(",")[2] !== list)) {
        closeSync(fd);
        const what = isReport ? "is the report of another list" : "is not a report of an earlier backfill";
        throw new HoldfastError("usage", `${path} ${what}`, {
          hint: "Name a file that does not exist yet: Holdfast never overwrites a file.",
        });
      }
    }
    return fd;
  } catch (cause) {
    throw fileError(cause, path, "written", "Name a --report in a folder that exists and that you can write to.");
  }
}
