/** The prefix of a line that stays at the left: spaces, an arrow, one or two labels. */
const HEAD = /^ *(?:→ )?(?:[^ ]+ {2,}){0,2}/;
/** Deeper than any line of our own starts, so that untrusted text cannot imitate one. */
const FURTHER = 4;
/** Terminals draw these two columns wide: East Asian characters, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{1b2ff}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
const ASCII = /^[ -~]*$/;

/**
 * Wraps a line to so many columns, between words where it can. Every row but the first starts below the text of the
 * first: a row that the terminal breaks itself would start at the left, where it could pass for a line of ours. So a word
 * that is longer than a row is broken too.
 */
export function wrap(line: string, width: number): string[] {
  if (columns(line) <= width) return [line];
  const indent = " ".repeat(indentOf(line, width));
  const rows = [""];
  const add = (text: string): void => {
    rows.push(`${rows.pop()}${text}`);
  };
  for (const [found] of line.matchAll(/ *[^ ]+/g)) {
    const row = rows.at(-1)!;
    if (columns(row) + columns(found) <= width) {
      add(found);
      continue;
    }
    const word = found.trimStart();
    if (row !== "") rows.push(indent);
    else add(" ".repeat(Math.min(found.length - word.length, Math.floor(width / 2))));
    for (const character of word) {
      const last = rows.at(-1)!;
      if (last !== indent && columns(last) + columns(character) > width) rows.push(indent);
      add(character);
    }
  }
  return rows;
}

/** As a terminal counts them, or more: combining characters count too. */
function columns(text: string): number {
  if (ASCII.test(text)) return text.length;
  let count = 0;
  for (const character of text) count += WIDE.test(character) ? 2 : 1;
  return count;
}

/** If the labels leave less than half of a narrow terminal, the text starts below them. */
function indentOf(line: string, width: number): number {
  const blanks = line.length - line.trimStart().length;
  const head = HEAD.exec(line)![0].length;
  const wanted = head > blanks ? head : blanks + FURTHER;
  return wanted <= width / 2 ? wanted : Math.min(blanks + FURTHER, Math.floor(width / 2));
}
