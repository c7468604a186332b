import { readFile, stat } from "node:fs/promises";
import { CsvError, parse } from "csv-parse/sync";
import type { ClientConfig } from "../src/config/config.ts";
import { HoldfastError } from "../src/error.ts";
import { number } from "../src/observe/figures.ts";
import { type Ending, verifiedAfter } from "../src/retention/relationship.ts";
import { type Finder, findPeople, KINDS, type Kind, namesSomebody, type Wanted, whoIs } from "./people.ts";

/** A line of a table that names nobody the vault has, or more than one, or no possible day. It quotes nothing: cells are personal data. */
export interface UnusableRow {
  readonly line: number;
  readonly why: string;
}

interface Row {
  readonly line: number;
  readonly kind: Kind;
  readonly value: string;
  readonly date: string;
}

/** What the parser gives when it is asked for lines too; its types do not say. */
interface Line {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

const MAX_BYTES = 64 * 1024 * 1024;
/** Lines that a refusal names. */
const NAMED = 20;

/**
 * Whose relationship ended when: those named on the command line, on the one date; or each line of a table. A line that
 * names nobody is told and left out, since a company's list of closed accounts has people who were never verified; so is
 * one with a day before the verification, unless that is asked for.
 * Throws `usage` before anything is done where the table itself cannot be read.
 */
export async function endingsOf(
  options: Wanted & {
    readonly date?: string | undefined;
    readonly csv?: string | undefined;
    readonly beforeVerification?: boolean | undefined;
  },
  config: ClientConfig,
  finder: Finder,
): Promise<{ endings: Ending[]; unusable: UnusableRow[] }> {
  if (options.csv === undefined) {
    const { date } = options;
    if (date === undefined) {
      throw new HoldfastError("usage", "--date is missing", { mend: "Say the last day: --date 2026-10-31." });
    }
    return { endings: findPeople(options, config, finder).map((subject) => ({ subject, ended: date })), unusable: [] };
  }
  if (options.date !== undefined || namesSomebody(options)) {
    throw new HoldfastError("usage", "--csv names everybody and every date itself", {
      mend: "Leave out --date and whoever else is named, or leave out --csv.",
    });
  }
  const endings = new Map<string, Ending & { readonly line: number }>();
  const unusable: UnusableRow[] = [];
  const within = { catalog: finder.catalog, retention: config.retention };
  for (const { line, kind, value, date } of await readRows(options.csv)) {
    const subjects = whoIs(kind, value, config, finder);
    if (subjects.length === 0) unusable.push({ line, why: "the vault has nobody of that name" });
    else if (subjects.length > 1 && !options.allMatches) unusable.push({ line, why: "more than one person has it" });
    else
      for (const subject of subjects) {
        const before = endings.get(subject);
        if (before && before.ended !== date) throw contradiction(options.csv, before.line, line);
        const verified = options.beforeVerification ? undefined : verifiedAfter(within, { subject, ended: date });
        if (verified !== undefined) {
          unusable.push({ line, why: `its date is before that person was first verified (${verified})` });
          continue;
        }
        endings.set(subject, { subject, ended: date, line });
      }
  }
  return { endings: [...endings.values()].map(({ subject, ended }) => ({ subject, ended })), unusable };
}

async function readRows(path: string): Promise<Row[]> {
  const text = await readText(path);
  let cells: readonly Line[];
  try {
    cells = parse(text, {
      bom: true,
      delimiter: [",", ";", "\t"],
      info: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as Line[];
  } catch (cause) {
    const line = cause instanceof CsvError ? cause.lines : undefined;
    throw new HoldfastError("usage", `${path} is not a table${line ? `: line ${line} cannot be read` : ""}`, {
      cause,
      mend: "Write CSV with as many columns in each line as in the first; quote what contains the separator.",
    });
  }
  const [head, ...rest] = cells;
  const names = (head?.record ?? []).map((name) => name.toLowerCase());
  const kind = KINDS.find((each) => names.includes(each));
  if (kind === undefined || !names.includes("date")) {
    throw new HoldfastError("usage", `${path}: the first line does not name the columns`, {
      mend: `Begin with a line such as reference,date. A person is named by one of: ${KINDS.join(", ")}.`,
    });
  }
  const rows = rest.map(({ record, info }) => ({
    ...{ line: info.lines, kind, value: record[names.indexOf(kind)]!, date: record[names.indexOf("date")]! },
  }));
  const wrong = rows.filter(({ value, date }) => value === "" || !isDay(date)).map(({ line }) => line);
  if (wrong.length > 0) {
    const some = wrong.slice(0, NAMED).join(", ") + (wrong.length > NAMED ? " …" : "");
    throw new HoldfastError("usage", `${path}: ${number(wrong.length)} lines have no ${kind} or no date: ${some}`, {
      mend: "Write dates as 2026-10-31. Nothing was done: correct the table and run it again.",
    });
  }
  return rows;
}

async function readText(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_BYTES) {
      throw new HoldfastError("usage", `${path} is larger than ${number(MAX_BYTES)} bytes`, { mend: "Split it." });
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const why = cause instanceof TypeError ? "it is not UTF-8" : (cause as NodeJS.ErrnoException).code;
    throw new HoldfastError("usage", `${path} cannot be read (${why})`, { cause });
  }
}

function isDay(text: string): boolean {
  try {
    return /^\d{4}-\d\d-\d\d$/.test(text) && Temporal.PlainDate.from(text) !== undefined;
  } catch {
    return false;
  }
}

function contradiction(path: string, first: number, second: number): HoldfastError {
  return new HoldfastError("usage", `${path}: lines ${first} and ${second} say different days of the same person`, {
    mend: "Nothing was done: correct the table and run it again.",
  });
}
