import { parse } from "csv-parse/sync";

/** The least likely inside a name of a column first. */
const SEPARATORS = ["\t", ";", "|", ","];

/** The separator of the cells: the one that the first line has most of, outside quotes. */
export function separatorOf(line: string): string {
  const outside = line.replace(/"([^"]|"")*"/g, "");
  const count = (separator: string): number => outside.split(separator).length;
  return SEPARATORS.reduce((most, each) => (count(each) > count(most) ? each : most));
}

/** The cells of one row, or undefined if it is not valid. */
export function cellsOf(row: string, separator: string): readonly string[] | undefined {
  // Most rows have no quotes, and then the cells are what is between the separators.
  if (!row.includes('"')) return row.replace(/\r$/, "").split(separator);
  try {
    const rows = parse(row, { delimiter: separator, relax_column_count: true }) as string[][];
    return rows.length === 1 ? rows[0] : undefined;
  } catch {
    return undefined;
  }
}
