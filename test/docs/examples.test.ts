import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Command } from "commander";
import { parse } from "yaml";
import { programFor } from "../../jobs/program.ts";
import { EXAMPLE_RECIPIENTS } from "../../src/config/example.ts";
import { parseConfig } from "../../src/config/load.ts";
import { blocks } from "./pages.ts";
import { holdfastLines, type Line } from "./shell-words.ts";

const SHELL = ["sh", "bash"];
const [OFFICER, ESCROW] = EXAMPLE_RECIPIENTS as [string, string];
/** What an example leaves out, filled in. Text in it is not looked at. */
const VKEY = "acme-bank.example/holdfast+5afb72df+AfbvJdtp3l9jxiBoyaIzgm0JbjP+Au0Si7FZXTFS3pT9";
const filled = (word: string): string =>
  word.replace("acme-bank.example/holdfast+…", VKEY).replace(/^age1….*$/, OFFICER);

/** Gives what the real command line says against it; nothing is run. */
async function refusal({ words }: Line): Promise<string | undefined> {
  const program = await programFor("completion");
  idle(program);
  try {
    await program.parseAsync(words.filter((word, n) => word !== "…" || words[n - 1]?.startsWith("--")).map(filled), {
      from: "user",
    });
    return undefined;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return code === "commander.helpDisplayed" || code === "commander.version" ? undefined : message;
  }
}

function idle(command: Command): void {
  command.configureOutput({ writeErr: () => {}, writeOut: () => {}, outputError: () => {} });
  if (command.commands.length === 0) command.action(() => {});
  for (const each of command.commands) idle(each);
}

test("the check itself: a wrong command, option, choice and value are refused, a right one is not", async () => {
  const ask = (text: string) => refusal(holdfastLines(`holdfast ${text}`)[0]!);
  assert.match((await ask("exprot"))!, /unknown command/);
  assert.match((await ask("export --sched"))!, /unknown option/);
  assert.match((await ask("export --log-level loud"))!, /Allowed choices/);
  assert.match((await ask("verify --read-data 101"))!, /share/);
  assert.match((await ask("keygen --out"))!, /argument missing/);
  assert.equal(await ask("verify --read-data 5% --json | jq .   # a remark"), undefined);
});

test("the README is short, and its first screen says how to try it and how to test it", () => {
  const lines = readFileSync("README.md", "utf8").trimEnd().split("\n");
  assert.ok(lines.length <= 150, String(lines.length));
  const screen = lines.slice(0, 24).join("\n");
  for (const command of ["npm ci && npm run demo", "npm test"]) assert.ok(screen.includes(`\n${command} `), command);
});

describe("every shell block", () => {
  const lines = blocks
    .filter(({ language }) => [...SHELL, "text"].includes(language))
    .flatMap(({ where, text }) => holdfastLines(text).map((line) => ({ where, line })));

  test("calls holdfast with commands, options and values that it takes", async () => {
    assert.ok(lines.length > 100, String(lines.length));
    const wrong: string[] = [];
    for (const { where, line } of lines) {
      // The usage of a command, as the help has it.
      if (/\[options\]/.test(line.text)) continue;
      const message = await refusal(line);
      if (message !== undefined) wrong.push(`${where}: ${line.text.trim()}: ${message}`);
    }
    assert.deepEqual(wrong, []);
  });

  for (const { where, text, language } of blocks.filter(({ language }) => SHELL.includes(language))) {
    test(`${where} is ${language} that a shell can read`, () => {
      // `…` and `<file>` stand for what a reader puts there.
      const { status, stderr } = spawnSync("bash", ["-n"], {
        input: text.replaceAll(/<[\w ]+>/g, "x"),
        encoding: "utf8",
      });
      assert.equal(status, 0, stderr);
    });
  }
});

test("every YAML block is a config that Holdfast takes", async () => {
  const found = blocks.filter(({ language }) => language === "yaml");
  assert.ok(found.length >= 1);
  for (const { where, text } of found) {
    assert.ok(parse(text).clients, where);
    const whole = text.replace("age1…officer", OFFICER).replace("age1…escrow", ESCROW);
    await parseConfig(whole, "config/holdfast.example.yaml");
  }
});

test("every JSON block is JSON", () => {
  const found = blocks.filter(({ language }) => language === "json");
  assert.ok(found.length >= 12);
  for (const { where, text } of found) assert.doesNotThrow(() => JSON.parse(text), where);
});

test("every Python block compiles", () => {
  const found = blocks.filter(({ language }) => language === "python");
  assert.deepEqual(
    found.map(({ file }) => file),
    ["log.py", "bag.py"],
  );
  for (const { where, text } of found) {
    const compile = "import sys; compile(sys.stdin.read(), 'block', 'exec')";
    const { status, stderr } = spawnSync("python3", ["-c", compile], { input: text, encoding: "utf8" });
    assert.equal(status, 0, `${where}: ${stderr}`);
  }
});

test("blocks that are output or a layout say so, and are counted; every other block is one that a test reads", () => {
  const read = [...SHELL, "yaml", "json", "python", "mermaid"];
  assert.deepEqual(
    blocks.filter(({ language }) => ![...read, "text"].includes(language)).map(({ where }) => where),
    [],
  );
  const counted = Map.groupBy(
    blocks.filter(({ language, page }) => language === "text" && page !== "docs/COMMANDS.md"),
    ({ page }) => page,
  );
  assert.deepEqual(Object.fromEntries([...counted].map(([page, those]) => [page, those.length])), {
    "README.md": 1, // of the demo, held to it in demo.test.ts
    "docs/FORMAT.md": 5, // of a note, a proof, two folders, a closed id
    "docs/OPERATING.md": 5, // of backfill --plan, of a config's part, of nginx and Caddy
    "docs/SOURCES.md": 1, // of a folder with a drop
  });
});
