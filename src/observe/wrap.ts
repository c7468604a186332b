/** The prefix of a line that stays at the left: spaces, an arrow, one or two labels. */
const HEAD = /^ *(?:→ )?(?:[^ ]+ {2,}){0,2}/;
/** Deeper than any line of our own starts, so that untrusted text cannot imitate one. */
const FURTHER = 4;

/**
 * Wraps a line to so many columns, never inside a word: a word that is longer than a row gets its own row and can be
 * copied whole. Every row but the first starts below the text of the first.
 */
export function wrap(line: string, width: number): string[] {
  if (line.length <= width) return [line];
  const indent = " ".repeat(indentOf(line, width));
  const rows = [""];
  for (const [word] of line.matchAll(/ *[^ ]+/g)) {
    const row = rows.at(-1)!;
    if (row.trim() === "" || row.length + word.length <= width) rows[rows.length - 1] = row + word;
    else rows.push(indent + word.trimStart());
  }
  return rows;
}

/** If the labels leave less than half of a narrow terminal, the text starts below them. */
function indentOf(line: string, width: number): number {
  const blanks = line.length - line.trimStart().length;
  const head = HEAD.exec(line)![0].length;
  const wanted = head > blanks ? head : blanks + FURTHER;
  return wanted <= width / 2 ? wanted : Math.min(blanks + FURTHER, Math.floor(width / 2));
}
