/** One line, or one row of a table, which may have line breaks inside quotes. */
export interface Row {
  /** Its first byte, from the beginning of the file. */
  readonly at: number;
  /** Without its line break. */
  readonly length: number;
  /** The line where it begins; the first one is 1. */
  readonly line: number;
  /** Undefined if it is longer than allowed. */
  readonly bytes: Buffer | undefined;
}

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;

/** Old programs end a table's lines with CR alone. */
export function lineBreakOf(text: string): "\n" | "\r" {
  const outside = text.replace(/"[^"]*"/g, "");
  return outside.includes("\r") && !outside.includes("\n") ? "\r" : "\n";
}

type Place = "begin" | "plain" | "quoted" | "after";

/** Cuts bytes into rows as they arrive. Holds one row. */
export class Rows {
  readonly #most: number;
  /** The separator of a table's cells; undefined for lines, which have no quotes. */
  readonly #separator: number | undefined;
  readonly #lineBreak: number;
  #place: Place = "begin";
  #parts: Buffer[] = [];
  #size = 0;
  /** Where the present row begins in its file. */
  #at = 0;
  #line = 1;
  /** Line breaks inside the present row. */
  #breaks = 0;

  constructor(most: number, separator?: string, lineBreak: "\n" | "\r" = "\n") {
    this.#most = most;
    this.#lineBreak = lineBreak === "\n" ? LF : CR;
    this.#separator = separator?.charCodeAt(0);
  }

  push(chunk: Buffer): Row[] {
    const rows: Row[] = [];
    let from = 0;
    for (let end = this.#end(chunk, 0); end >= 0; end = this.#end(chunk, from)) {
      this.#take(chunk.subarray(from, end));
      rows.push(this.#finish(1));
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
    return rows;
  }

  /** The last row, if it has no line break. */
  end(): Row[] {
    return this.#size > 0 ? [this.#finish(0)] : [];
  }

  #take(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > this.#most) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  #finish(lineBreak: number): Row {
    const [only, ...more] = this.#parts;
    const whole = only !== undefined && more.length === 0 ? only : Buffer.concat(this.#parts);
    const row = {
      ...{ at: this.#at, length: this.#size, line: this.#line },
      bytes: this.#size > this.#most ? undefined : whole,
    };
    this.#at += this.#size + lineBreak;
    this.#line += 1 + this.#breaks;
    this.#parts = [];
    this.#size = 0;
    this.#breaks = 0;
    this.#place = "begin";
    return row;
  }

  /** Where the present row ends in the chunk, or -1. */
  #end(chunk: Buffer, from: number): number {
    if (this.#separator === undefined) return chunk.indexOf(LF, from);
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte === this.#lineBreak) {
        if (this.#place !== "quoted") return at;
        this.#breaks += 1;
      } else this.#place = this.#next(byte);
    }
    return -1;
  }

  /** Quotes count at the beginning of a cell only; a doubled quote inside a quoted cell is a quote. */
  #next(byte: number): Place {
    if (this.#place === "quoted") return byte === QUOTE ? "after" : "quoted";
    if (byte === this.#separator) return "begin";
    if (byte === QUOTE && this.#place !== "plain") return "quoted";
    return this.#place === "after" && byte === CR ? "after" : "plain";
  }
}
