/** What comes before the text of a line, and stays at the left: blanks, an arrow, one or two labels. */
const HEAD = /^ *(?:→ )?(?:[^ ]+ {2,}){0,2}/;
/** Further in than a line of its own begins, so that no text from outside can pass for one. */
const FURTHER = 4;

/**
 * The rows of a line in so many columns. A row never ends in the middle of a word: a word that is longer than a row has
 * one of its own, and can be copied whole. Every row but the first begins below the text of the first.
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

/** Where labels would leave less than half of a narrow terminal, the text takes their place. */
function indentOf(line: string, width: number): number {
  const blanks = line.length - line.trimStart().length;
  const head = HEAD.exec(line)![0].length;
  const wanted = head > blanks ? head : blanks + FURTHER;
  return wanted <= width / 2 ? wanted : Math.min(blanks + FURTHER, Math.floor(width / 2));
}
