import { HoldfastError } from "../core/error.ts";
import { parseRows, separatorLine } from "./table.ts";
import { readTextFile } from "./text-file.ts";

/** A person, as a line of a list names them. */
export interface ListedPerson {
  readonly kind: "identity" | "email" | "reference" | "subject";
  readonly value: string;
}

const LINE = /^(identity|email|reference|subject)[ \t]+(\S.*)$/;

/**
 * People from a file: `<kind> <value>` on each line, or a table with these two columns, as a spreadsheet saves it.
 * Empty lines and lines that start with # are ignored.
 * @throws HoldfastError "usage" with the line number, but never with the line's text, which is personal.
 */
export async function listedPeople(path: string): Promise<ListedPerson[]> {
  const { text, separator } = separatorLine((await readTextFile(path)).text);
  return listLines(path, text, separator ?? separatorOf(text)).flatMap(({ line, words }) => {
    if (words === "" || words.startsWith("#")) return [];
    const [, kind, value] = LINE.exec(words) ?? [];
    if (kind !== undefined && value !== undefined) return [{ kind: kind as ListedPerson["kind"], value }];
    throw new HoldfastError("usage", `${path}, line ${line}: no person is named`, {
      hint: "Write on each line: identity <id>, email <address>, reference <value> or subject <token>.",
    });
  });
}

/** The character after the first word, unless it is a blank. */
function separatorOf(text: string): string | undefined {
  return /^\s*"?(?:identity|email|reference|subject)"?([;,\t|])/m.exec(text)?.[1];
}

function listLines(path: string, text: string, separator: string | undefined): { line: number; words: string }[] {
  if (separator === undefined) {
    const lines = text.split(/\r\n?|\n/);
    // Remove a spreadsheet's empty cells.
    return lines.map((words, at) => ({ line: at + 1, words: words.replace(/[;,\t|]+\s*$/, "").trim() }));
  }
  return parseRows(path, text, separator).map(({ line, cells }) => {
    const full = cells.filter((cell) => cell !== "");
    // More than two cells: the value contains the separator, and it is unclear which part is meant.
    return { line, words: full[0]?.startsWith("#") || full.length <= 2 ? full.join(" ") : "?" };
  });
}
