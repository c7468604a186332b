import { plainText } from "../record/spellings.ts";

/** The date in a table cell, `2026-10-31`; or why it is invalid, without quoting the cell. */
export type CellDay = { readonly day: string } | { readonly why: string };

/**
 * The date in a cell, in ISO 8601 or as Excel writes it: year first; or with dots, where the day always comes first.
 * A wrong date destroys records too early, so ambiguous dates are refused.
 */
export function cellDay(cell: string): CellDay {
  const text = plainText(cell).replace(/[T ]0?0:00(:00([.,]0+)?)?$/, "");
  const [, year, , month, date] = /^(\d{4})([-/.]) ?(\d{1,2})\2 ?(\d{1,2})\.?$/.exec(text) ?? [];
  if (year !== undefined) return dayOf(year, month!, date!);
  const [, first, second, last] = /^(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})$/.exec(text) ?? [];
  if (first !== undefined) return dayOf(last!, second!, first);
  return { why: whyNot(text) };
}

function dayOf(year: string, month: string, day: string): CellDay {
  try {
    const of = { year: Number(year), month: Number(month), day: Number(day) };
    return { day: Temporal.PlainDate.from(of, { overflow: "reject" }).toString() };
  } catch {
    return { why: "no such day in the calendar" };
  }
}

function whyNot(text: string): string {
  if (text === "") return "no date";
  if (/^#+$/.test(text)) return "##### instead of a date: the column was too narrow when the table was saved";
  if (/^\d{1,6}([.,]\d+)?$/.test(text)) return "a spreadsheet's day number: format the column as a date";
  if (/^\d{1,2}[/-]\d{1,2}[/-]\d{4}$/.test(text)) return "ambiguous order of day and month";
  if (/^\d{1,2}[-/.] ?([^\d\s]+|\d{1,2})[-/.] ?\d{2}$/.test(text)) return "a two-digit year";
  if (/:\d\d/.test(text)) return "a time of day after the date";
  return "not a valid date";
}
