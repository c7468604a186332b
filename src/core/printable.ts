/**
 * Makes text from outside safe for a terminal, a log or a page. Terminals obey control characters, bidi controls
 * reorder text, zero-width characters hide in words, and a line break could fake a line of ours.
 *
 * All output (console, log, errors, HTML, the viewer's elements) goes through here, so callers need not remember it.
 * Our own texts contain no line breaks: pass several lines as a list.
 */

/** Control and format characters (bidi, zero width), lone surrogates, line separators, and invisible characters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** Look like a space, but do not end a word: lines are wrapped at spaces only. */
const BLANK = /[\p{Zs}\u2800]/gu;
/** Many spaces would push the rest to a terminal's next line, where it could fake a line of ours. */
const BLANKS = /(?<=\S) {2,}/g;
/** One word of plain ASCII needs no quotes. */
const WORD = /^[!#-~]+$/;

/** One line. Unsafe characters become JSON escapes: `\n`, `\u001b`. Blanks of any kind become spaces. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped).replace(BLANK, " ");
}

/** One line without runs of spaces: for a message that may contain text from outside. */
export function sentence(text: string): string {
  return printable(text).replace(BLANKS, " ");
}

/** A value from outside for a line of ours: a plain word unchanged, anything else in quotes and cut to `most`. */
export function quoted(text: string, most = 200): string {
  if (WORD.test(text) && text.length <= most) return text;
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return `"${sentence(cut).replaceAll('"', '\\"')}"`;
}

/** Equivalent JSON that is safe to show: JSON itself only escapes the first 32 characters. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE, (found) => (found === "\n" ? found : escaped(found)));
}

function escaped(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  let units = "";
  for (let at = 0; at < character.length; at++) units += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  return units;
}

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
