import { HoldfastError } from "../core/error.ts";
import { parseRows, separatorLine } from "./table.ts";
import { readTextFile } from "./text-file.ts";

/** Someone, as a line of a list names them. */
export interface ListedPerson {
  readonly kind: "identity" | "email" | "reference" | "subject";
  readonly value: string;
}

const LINE = /^(identity|email|reference|subject)[ \t]+(\S.*)$/;

/**
 * People from a file: `<kind> <value>` to a line, or a table of these two columns as a spreadsheet writes it. Empty lines
 * and those that begin with # say nothing. Throws `usage` with the number of a line, and never with what stands in it:
 * that is personal.
 */
export async function listedPeople(path: string): Promise<ListedPerson[]> {
  const { text, separator } = separatorLine((await readTextFile(path)).text);
  return listLines(path, text, separator ?? separatorOf(text)).flatMap(({ line, words }) => {
    if (words === "" || words.startsWith("#")) return [];
    const [, kind, value] = LINE.exec(words) ?? [];
    if (kind !== undefined && value !== undefined) return [{ kind: kind as ListedPerson["kind"], value }];
    throw new HoldfastError("usage", `line ${line} of ${path} names no one`, {
      hint: "Write to each line: identity <id>, email <address>, reference <value> or subject <token>.",
    });
  });
}

/** What follows the first word, where it is no blank. */
function separatorOf(text: string): string | undefined {
  return /^\s*"?(?:identity|email|reference|subject)"?([;,\t|])/m.exec(text)?.[1];
}

function listLines(path: string, text: string, separator: string | undefined): { line: number; words: string }[] {
  if (separator === undefined) {
    const lines = text.split(/\r\n?|\n/);
    // Empty cells of a spreadsheet.
    return lines.map((words, at) => ({ line: at + 1, words: words.replace(/[;,\t|]+\s*$/, "").trim() }));
  }
  return parseRows(path, text, separator).map(({ line, cells }) => {
    const full = cells.filter((cell) => cell !== "");
    // More cells than two are a value with the separator in it: which part is meant cannot be told.
    return { line, words: full[0]?.startsWith("#") || full.length <= 2 ? full.join(" ") : "?" };
  });
}
