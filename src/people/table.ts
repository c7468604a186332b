import { CsvError, parse } from "csv-parse/sync";
import { HoldfastError } from "../core/error.ts";
import { SAVE_AS } from "./text-file.ts";

/** A row that is not blank. Untrusted: cells are personal data and are never quoted. */
export interface TableRow {
  /** The line where it ends; the first line is 1. */
  readonly line: number;
  /** As many as the line has, which may differ from the first line. */
  readonly cells: readonly string[];
}

/** What the parser returns with the `info` option; its types do not cover this. */
interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

/** Separators of cells, the least likely inside a cell first. */
export const SEPARATORS = ["\t", ";", "|", ","] as const;

/** Excel's own first line that names the separator, `sep=;`. It is emptied, not removed, so that line numbers stay. */
export function separatorLine(text: string): { readonly text: string; readonly separator: string | undefined } {
  const [line, separator] = /^"?sep=([^\r\n"])"?[;,\t |]*(?=[\r\n]|$)/i.exec(text) ?? [];
  return line === undefined ? { text, separator: undefined } : { text: text.slice(line.length), separator };
}

/** All rows of a table, or the first ones. @throws HoldfastError "usage" with the invalid line. */
export function parseRows(path: string, text: string, separator: string, most?: number): TableRow[] {
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
    const what = open ? `after line ${last} a quotation mark is not closed` : `line ${cause.lines} is invalid`;
    throw new HoldfastError("usage", `${path} is not a valid table: ${what}`, {
      cause,
      hint: `If a cell contains a quotation mark, put the cell in quotation marks and double the mark: "the ""Sun"" inn". ${SAVE_AS}`,
    });
  }
}
