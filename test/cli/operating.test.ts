import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { program } from "./program.ts";

/** `holdfast hold place --case …` in the guide: the words, and the options. */
const lines = [...readFileSync("docs/OPERATING.md", "utf8").matchAll(/^ *holdfast ([a-z].*)$/gm)].map(
  (match) => match[1]!,
);

test("every command of the operator's guide is one, and takes these options", async () => {
  assert.ok(lines.length > 15);
  const helps = new Map<string, string>();
  for (const line of lines) {
    const [command] = line.split(" | ");
    const words = /^[a-z]+(?: (?:end|reopen|place|release|assess|purge|extend|certificate)\b)?/.exec(command!)![0];
    if (!helps.has(words)) helps.set(words, (await program([...words.split(" "), "--help"])).stdout);
    const help = helps.get(words)!;
    assert.ok(help.startsWith(`Usage: holdfast ${words} `), line);
    for (const [option] of command!.matchAll(/--[a-z-]+/g)) assert.match(help, new RegExp(`${option}\\b`), line);
  }
});
