import type { ClientConfig } from "../config/config.ts";
import { HoldfastError } from "../core/error.ts";
import { plural } from "../observe/format.ts";
import { isScientific, plainText } from "../record/spellings.ts";
import { type Ending, verifiedAfter } from "../retention/relationship.ts";
import { oneCustomer, type Telling } from "./customer.ts";
import {
  CALLED,
  departedBy,
  type Finder,
  findPeople,
  KINDS,
  type Kind,
  lookupsGone,
  namesSomebody,
  oddSpelling,
  type Wanted,
  whoIs,
} from "./people.ts";
import { purgedError } from "./purged.ts";
import { parseRows, SEPARATORS, separatorLine } from "./table.ts";
import { cellDay } from "./table-day.ts";
import { readTextFile } from "./text-file.ts";

/** A table row with no known person, more than one, or no possible date. It quotes nothing: cells are personal data. */
export interface UnusableRow {
  readonly line: number;
  /** As the first line calls it. */
  readonly column: string;
  readonly reason: "unknown" | "purged" | "several" | "shortened" | "early";
  readonly why: string;
}

interface Line {
  readonly line: number;
  readonly kind: Kind;
  readonly value: string;
  readonly date: string;
  /** The table's encoding is a guess. */
  readonly guessed: boolean;
  /** It has extra cells, all empty: Excel leaves them, or a separator was not quoted. */
  readonly shifted: boolean;
}

/** The positions of the columns that are used. */
interface Columns {
  readonly separator: string;
  readonly kind: Kind;
  readonly person: number;
  readonly date: number;
  readonly count: number;
}

const SHORTENED =
  "a spreadsheet shortened the number (as in 1.2E+12) and its digits are lost: format the column as text and enter it again";
/** Lines named in an error, for each reason. */
const NAMED = 20;

/**
 * Whose relationship ended when: the people on the command line, all on one date; or each row of a table. A row with an
 * unknown person is reported and skipped, since a company's list of closed accounts has people who were never verified.
 * So is one with a date before the verification, unless the options allow that.
 * @throws HoldfastError "usage", before anything is changed, if the table itself is invalid.
 */
export async function endingsOf(
  options: Wanted & {
    readonly date?: string | undefined;
    readonly csv?: string | undefined;
    readonly beforeVerification?: boolean | undefined;
  },
  config: ClientConfig,
  finder: Finder,
  telling?: Telling,
): Promise<{ endings: Ending[]; unusable: UnusableRow[] }> {
  if (options.csv === undefined) {
    const { date } = options;
    if (date === undefined) {
      throw new HoldfastError("usage", "--date is missing", { hint: "Give the last day: --date 2026-10-31." });
    }
    return {
      endings: findPeople(options, config, finder, telling).map((subject) => ({ subject, ended: date })),
      unusable: [],
    };
  }
  if (options.date !== undefined || namesSomebody(options)) {
    throw new HoldfastError("usage", "--csv already names every person and date", {
      hint: "Leave out --date and the people you name, or leave out --csv.",
    });
  }
  const endings = new Map<string, Ending & { readonly line: number }>();
  const unusable: UnusableRow[] = [];
  const verified = (ending: Ending): string | undefined =>
    options.beforeVerification ? undefined : verifiedAfter(finder.catalog, config.retention, ending);
  for (const each of await readRows(options.csv)) {
    const { line, kind, value, date } = each;
    const of = { line, column: kind };
    if (isScientific(value)) {
      unusable.push({ ...of, reason: "shortened", why: SHORTENED });
      continue;
    }
    const subjects = whoIs(kind, value, config, finder);
    if (subjects.length === 0) unusable.push({ ...of, ...unknownPerson(each, config, finder) });
    else if (subjects.length > 1 && !options.allMatches && !oneCustomer(kind, subjects, finder.catalog))
      unusable.push({ ...of, reason: "several", why: "it matches more than one person" });
    else
      for (const subject of subjects) {
        const before = endings.get(subject);
        if (before && before.ended !== date) throw contradiction(options.csv, before.line, line);
        const day = verified({ subject, ended: date });
        if (day !== undefined) {
          const why = `its date is before that person was first verified (${day})`;
          unusable.push({ line, column: "date", reason: "early", why });
          continue;
        }
        endings.set(subject, { subject, ended: date, line });
      }
  }
  return { endings: [...endings.values()].map(({ subject, ended }) => ({ subject, ended })), unusable };
}

async function readRows(path: string): Promise<Line[]> {
  const file = await readTextFile(path);
  const { text, separator } = separatorLine(file.text);
  const separators = separator === undefined ? SEPARATORS : [separator];
  const found = separators.flatMap((each) => columnsOf(path, text, each) ?? []);
  if (found.length !== 1) {
    throw new HoldfastError("usage", `${path}: the first line has no valid column names`, {
      hint: `Start with a line such as reference,date. The column for the person is one of: ${KINDS.join(", ")}.`,
    });
  }
  const [columns] = found as [Columns];
  const [, ...rows] = parseRows(path, text, columns.separator);
  const wrong = new Map<string, number[]>();
  const lines = rows.flatMap(({ line, cells }): Line[] => {
    const value = cells[columns.person] ?? "";
    const date = cellDay(cells[columns.date] ?? "");
    const beyond = cells.slice(columns.count);
    const why = beyond.some((cell) => cell !== "")
      ? "more cells than the first line: quote cells that contain the separator"
      : value === ""
        ? `no ${columns.kind}`
        : "why" in date
          ? date.why
          : undefined;
    if (why === undefined && "day" in date) {
      return [{ line, kind: columns.kind, value, date: date.day, guessed: file.guessed, shifted: beyond.length > 0 }];
    }
    wrong.set(why!, [...(wrong.get(why!) ?? []), line]);
    return [];
  });
  if (wrong.size > 0) throw unreadable(path, wrong);
  return lines;
}

/** The columns of the first line, if this separator fits. */
function columnsOf(path: string, text: string, separator: string): Columns | undefined {
  const names = firstRow(path, text, separator).map((cell) => plainText(cell).toLowerCase());
  const kind = KINDS.find((each) => names.includes(each));
  if (kind === undefined || !names.includes("date")) return undefined;
  const twice = [kind, "date"].find((name) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice !== undefined) {
    throw new HoldfastError("usage", `${path}: two columns are named ${twice}`, {
      hint: "Rename or remove the wrong one. With a wrong date, records are destroyed too early.",
    });
  }
  return { separator, kind, person: names.indexOf(kind), date: names.indexOf("date"), count: names.length };
}

/** Empty if this cannot be the separator: with another one it may be a table. */
function firstRow(path: string, text: string, separator: string): readonly string[] {
  try {
    return parseRows(path, text, separator, 1)[0]?.cells ?? [];
  } catch {
    return [];
  }
}

function unreadable(path: string, wrong: ReadonlyMap<string, readonly number[]>): HoldfastError {
  const count = [...wrong.values()].reduce((sum, lines) => sum + lines.length, 0);
  const reasons = [...wrong].map(([why, lines]) => {
    const some = lines.slice(0, NAMED).join(", ") + (lines.length > NAMED ? " …" : "");
    return `${some} (${why})`;
  });
  return new HoldfastError("usage", `${path}: cannot read ${plural(count, "line")}: ${reasons.join("; ")}`, {
    hint: "Write dates as 2026-10-31 or 31.10.2026. Nothing was changed: correct the table and run it again.",
  });
}

/** Why a line matches no one, as far as the log and the cell tell. */
function unknownPerson(
  { kind, value, guessed, shifted }: Line,
  config: ClientConfig,
  finder: Finder,
): Pick<UnusableRow, "reason" | "why"> {
  const [gone] = departedBy(kind, value, config, finder);
  if (gone !== undefined) {
    const { message } = purgedError(finder.catalog, config.id, gone, CALLED[kind]);
    return { reason: "purged", why: message };
  }
  const encoding = guessed && /[^ -~]/.test(value) ? "; the table is not UTF-8 and was read as Windows-1252" : "";
  const cells = shifted ? "; the line has more cells than the first line" : "";
  const why = `no match for ${CALLED[kind]} in the vault${lookupsGone(finder.catalog, kind)}${oddSpelling(value)}${encoding}${cells}`;
  return { reason: "unknown", why };
}

function contradiction(path: string, first: number, second: number): HoldfastError {
  return new HoldfastError("usage", `${path}: lines ${first} and ${second} give different dates for the same person`, {
    hint: "Nothing was changed: correct the table and run it again.",
  });
}
