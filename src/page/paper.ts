import { printable } from "../core/printable.ts";

/**
 * A4 with a footer: what the page is, and its number. In print only; browsers without margin boxes leave it out and
 * print a header of their own.
 * @param name of a CSS page, where parts of one document have footers of their own
 */
export function paper(footer: string, name = ""): string {
  return `@page ${name} {
  size: A4;
  margin: 18mm 17mm 20mm;
  @bottom-left { content: ${quoted(footer)}; font: 8pt sans-serif; color: #545d69; vertical-align: top; padding-top: 5mm; }
  @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 8pt sans-serif; color: #545d69; vertical-align: top; padding-top: 5mm; }
}`;
}

/** A string of CSS. Whatever is not a letter, a digit or a space is written as its number: it can end nothing. */
function quoted(text: string): string {
  const chars = [...printable(text)].map((char) =>
    /[A-Za-z0-9 ]/.test(char) ? char : `\\${char.codePointAt(0)!.toString(16)} `,
  );
  return `"${chars.join("")}"`;
}
