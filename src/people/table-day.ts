import { plainText } from "../record/spellings.ts";

/** A day of a table, `2026-10-31`; or why the cell is none. It quotes nothing of the cell. */
export type CellDay = { readonly day: string } | { readonly why: string };

/**
 * The day in a cell, as it is written in ISO 8601 or as Excel writes it: year first, or with dots, where the day is first
 * everywhere. A wrong day destroys too early, so what can be read in two ways is refused.
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
  if (/^#+$/.test(text)) return "##### for a date: the column was too narrow when the table was saved";
  if (/^\d{1,6}([.,]\d+)?$/.test(text)) return "a spreadsheet's number for a day: format the column as a date";
  if (/^\d{1,2}[/-]\d{1,2}[/-]\d{4}$/.test(text)) return "day and month, whose order cannot be told";
  if (/^\d{1,2}[-/.] ?([^\d\s]+|\d{1,2})[-/.] ?\d{2}$/.test(text)) return "a year of two digits";
  if (/:\d\d/.test(text)) return "a time of day beside the date";
  return "no date that can be read";
}
