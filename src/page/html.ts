import { printable } from "../core/printable.ts";

/** Text that is already HTML; all other text is escaped when it is inserted. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | undefined | readonly Part[];

/** html`<p>${anything}</p>`: escapes everything except Html, joins lists, and leaves undefined out. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((text, at) => text + (at < parts.length ? render(parts[at]) : "")).join(""));
}

function render(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Html) return part.text;
  if (Array.isArray(part)) return part.map(render).join("");
  return printable(String(part)).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** A sentence of ours, whose commands are in backticks as in a message on a terminal. */
export function prose(text: string): Html {
  return html`${text.split("`").map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

/** A large number, and what it counts. */
export function figure(value: string, what: string): Html {
  return html`<div><b>${value}</b><span>${what}</span></div>`;
}

export interface PageOptions {
  readonly title: string;
  /** CSS. */
  readonly style: string;
  readonly body: Html;
}

/** A complete page that loads nothing and sends nothing. */
export function page({ title, style, body }: PageOptions): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>${render(title)}</title>
<style>
${style}
</style>
</head>
<body>
${body.text}
</body>
</html>
`;
}
