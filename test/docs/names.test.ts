import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { Command } from "commander";
import { programFor } from "../../jobs/program.ts";
import { anchor } from "../../release/docs/markdown.ts";
import { jsonSchema } from "../../src/config/schema.ts";
import { PAGES } from "./pages.ts";

/** A page without its blocks: what is in those, examples.test.ts reads. */
const pages = PAGES.map((page) => ({
  page,
  text: readFileSync(page, "utf8").replaceAll(/^ *```[\s\S]*?^ *```$/gm, ""),
}));
/** A changelog tells of what is no more. */
const codes = pages
  .filter(({ page }) => page !== "CHANGELOG.md")
  .flatMap(({ page, text }) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => ({ page, code: code! })));

describe("links", () => {
  for (const { page, text } of pages) {
    test(page, () => {
      for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [name = "", heading] = target.split("#");
        const file = name === "" ? page : join(dirname(page), name);
        assert.ok(existsSync(file), target);
        if (heading === undefined || !file.endsWith(".md")) continue;
        const headings = [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, each]) => anchor(each!));
        assert.ok(headings.includes(heading), target);
      }
    });
  }
});

test("every file that a page names is there", () => {
  const missing = codes.filter(({ code }) => {
    const [path = ""] = code.split(/[\s:]/);
    if (!/^(src|jobs|test|config|docs|release|source|session|audit|vault|export|retention)\/[\w./-]+$/.test(path))
      return false;
    // The last of these is where Holdfast looks for a config.
    return ![path, join("src", path)].some((each) => existsSync(each)) && path !== "config/holdfast.yaml";
  });
  // What lies in a vault.
  const inVault = /^(audit|source)\/(checkpoint|timestamp|tile)/;
  assert.deepEqual(
    missing.filter(({ code }) => !inVault.test(code)),
    [],
  );
});

test("every option that a page names is one of a command", async () => {
  const own = new Set<string>(["--help"]);
  const collect = (command: Command): void => {
    for (const { long } of command.options) if (long) own.add(long);
    for (const each of command.commands) collect(each);
  };
  collect(await programFor("completion"));
  /** Of npm, Node, Docker and others. */
  const foreign =
    /^(npm|node|docker|NODE_OPTIONS|apt-get|openssl|ssh-keygen|aws|age|--ulimit|--prefix|--silent|--permission|-- )/;
  const unknown = codes
    .filter(({ page, code }) => page !== "CONTRIBUTING.md" && !foreign.test(code))
    .flatMap(({ page, code }) =>
      [...code.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => `${page}: ${option}`),
    )
    .filter((each) => !own.has(each.split(": ")[1]!));
  assert.deepEqual(unknown, []);
});

test("every field of the config that a page names is in the schema", () => {
  const known = new Set<string>();
  const collect = (node: Node, path: string): void => {
    known.add(path.replace(/^clients\./, ""));
    if (node.items) collect(node.items, path);
    for (const kind of node.oneOf ?? []) collect(kind, path);
    for (const [name, child] of Object.entries(node.properties ?? {}))
      collect(child, path === "" ? name : `${path}.${name}`);
  };
  collect(jsonSchema() as Node, "");
  const sections = /^(source|vault|lookups|log|retention|notify|retrieval|schedule|metrics|minimal)\.[a-zA-Z.]+$/;
  /** Members of vault.json, files, and entries of the log. */
  const others =
    /^(log\.(origin|vkey|former|py|der|jsonl)|source\.changed|lookups\.check|vault\.json|retrieval\.(json|prepared|refused|opened))$/;
  const unknown = codes.filter(({ code }) => sections.test(code) && !others.test(code) && !known.has(code));
  assert.deepEqual(unknown, []);
});

test("every type of log entry is in section 8 of FORMAT.md", () => {
  const format = readFileSync("docs/FORMAT.md", "utf8");
  const types = [...readFileSync("src/audit/entry-schema.ts", "utf8").matchAll(/type: z\.literal\("([a-z.]+)"\)/g)];
  assert.ok(types.length >= 20);
  for (const [, type] of types) assert.ok(format.includes(`**${type}**`), type!);
});

test("every metric that a page names is one that MONITORING.md lists", () => {
  const listed = readFileSync("docs/MONITORING.md", "utf8");
  for (const { page, code } of codes)
    for (const [name] of code.matchAll(/\bholdfast_[a-z_]+/g))
      assert.ok(listed.includes(`| \`${name}`), `${page}: ${name}`);
});

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly oneOf?: readonly Node[];
}
