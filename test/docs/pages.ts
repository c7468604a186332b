import { readdirSync, readFileSync } from "node:fs";

/** What people read, and what its examples are. docs/STYLE.md quotes what not to write. */
export const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"],
  ...readdirSync("docs")
    .filter((name) => name.endsWith(".md") && name !== "STYLE.md")
    .map((name) => `docs/${name}`),
  ...readdirSync("config", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith("README.md"))
    .map((name) => `config/${name}`),
];

/** A fenced block of a page. */
export interface Block {
  /** `docs/FORMAT.md:739`, the line of the fence. */
  readonly where: string;
  readonly page: string;
  /** The first word behind the fence, and `run=…` or `file=…` behind that. */
  readonly language: string;
  readonly run?: string;
  readonly file?: string;
  readonly text: string;
}

const FENCE = /^( *)```(.*)$/;

export const blocks: readonly Block[] = PAGES.flatMap(blocksOf);

/** Those that are run together, in the order of the page. */
export function toRun(name: string): string[] {
  return blocks.filter(({ run }) => run === name).map(({ text }) => text);
}

function blocksOf(page: string): Block[] {
  const found: Block[] = [];
  let open: { readonly indent: string; readonly info: string; readonly line: number; readonly lines: string[] } | null =
    null;
  for (const [index, line] of readFileSync(page, "utf8").split("\n").entries()) {
    const [, indent = "", info] = FENCE.exec(line) ?? [];
    if (open !== null && info !== "") open.lines.push(line.slice(open.indent.length));
    else if (open !== null) {
      const [language = "", ...marks] = open.info.split(" ");
      const marked = Object.fromEntries(marks.map((mark) => mark.split("=")));
      found.push({ where: `${page}:${open.line}`, page, language, ...marked, text: open.lines.join("\n") });
      open = null;
    } else if (info !== undefined) open = { indent, info, line: index + 1, lines: [] };
  }
  if (open !== null) throw new Error(`${page}: a block has no end`);
  return found;
}
