import { CsvError, parse } from "csv-parse/sync";
import { HoldfastError } from "../core/error.ts";
import { SAVE_AS } from "./text-file.ts";

/** A row that is not blank. Untrusted: cells are personal data, and are quoted nowhere. */
export interface Row {
  /** Where it ends in the file; the first line is 1. */
  readonly line: number;
  /** As many as the line has, which need not be as many as the first has. */
  readonly cells: readonly string[];
}

/** What the parser gives when it is asked for lines too; its types do not say. */
interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/** What separates the cells of a table, the least likely in a cell first. */
export const SEPARATORS = ["\t", ";", "|", ","] as const;

/** Excel's own first line that names the separator, `sep=;`, left empty so that the lines keep their numbers. */
export function separatorLine(text: string): { readonly text: string; readonly separator: string | undefined } {
  const [line, separator] = /^"?sep=([^\r\n"])"?[;,\t |]*(?=[\r\n]|$)/i.exec(text) ?? [];
  return line === undefined ? { text, separator: undefined } : { text: text.slice(line.length), separator };
}

/** The rows of a table, or the first of them. Throws `usage` with the line that cannot be read. */
export function parseRows(path: string, text: string, separator: string, most?: number): Row[] {
  let last = 0;
  try {
    const rows = parse(text.replace(/\r\n?/g, "\n"), {
      delimiter: separator,
      record_delimiter: "\n",
      info: true,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      ...(most === undefined ? {} : { to: most }),
      on_record: (record, { lines }) => {
        last = lines;
        return record;
      },
    }) as unknown as Parsed[];
    return rows.map(({ record, info }) => ({ line: info.lines, cells: record.map((cell) => cell.trim()) }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const open = cause.code === "CSV_QUOTE_NOT_CLOSED";
    const what = open ? `after line ${last} a quotation mark is opened and not closed` : `line ${cause.lines}`;
    throw new HoldfastError("usage", `${path} is not a table: ${open ? what : `${what} cannot be read`}`, {
      cause,
      hint: `A cell that contains a quotation mark is put into quotation marks, and the mark doubled: "the ""Sun"" inn". ${SAVE_AS}`,
    });
  }
}
