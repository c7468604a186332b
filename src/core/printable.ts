/**
 * Text from outside, for a terminal, a log or a page. A terminal obeys control characters; bidi controls reorder what is
 * read; characters of no width hide in a word; a line break begins a line that looks like one of ours.
 *
 * The places that write (console, log, errors, HTML, the viewer's elements) put everything through here, so no caller has
 * to remember. Our own line breaks are never inside a text: whoever has several lines passes a list.
 */

/** Control and format characters (bidi, zero width), lone surrogates, line separators, and what fonts leave blank. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** Enough spaces push what follows to the next line of a terminal, where it looks like a line of ours. */
const BLANKS = /(?<=\S)[\p{Zs}\u2800]{2,}/gu;
/** One word of plain ASCII: it needs no quotes to be told from what stands around it. */
const WORD = /^[!#-~]+$/;

/** One line. What is unsafe becomes an escape of JSON: `\n`, `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** One line without columns: a message that may hold text from outside. */
export function sentence(text: string): string {
  return printable(text).replace(BLANKS, " ");
}

/** A value from outside in a line of ours: a plain word as it is; anything else in quotes, and no longer than `most`. */
export function quoted(text: string, most = 200): string {
  if (WORD.test(text) && text.length <= most) return text;
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return `"${sentence(cut).replaceAll('"', '\\"')}"`;
}

/** JSON that says the same and is safe to show: JSON itself lets all but the first 32 characters through. */
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
