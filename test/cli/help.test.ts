import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { commandLine, program } from "./program.ts";

async function help(...path: string[]): Promise<string> {
  const { code, stdout, stderr } = await program([...path, "--help"]);
  assert.deepEqual([code, stderr], [0, ""], path.join(" "));
  return stdout;
}

/** The commands that a help names. */
function commandsIn(text: string): string[] {
  const [, after = ""] = text.split(/^Options:$[\s\S]*?\n\n/m);
  const [commands = ""] = after.split(/^(?:First day|Examples|More)/m);
  return [...commands.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].flatMap(([, name]) => (name === "help" ? [] : name!));
}

const whole = await help();
const paths: string[][] = [];
for (const name of commandsIn(whole)) {
  const text = await help(name);
  const below = text.includes("\nCommands:\n") ? commandsIn(text) : [];
  paths.push(...(below.length > 0 ? below.map((each) => [name, each]) : [[name]]));
}

test("`holdfast help` shows the same of every command, also of a nested one", async () => {
  for (const path of paths
    .filter(({ length }) => length > 1)
    .slice(0, 4)
    .concat([["folder", "check"], ["export"]])) {
    const { code, stdout, stderr } = await program(["help", ...path]);
    assert.deepEqual([code, stderr], [0, ""], path.join(" "));
    assert.equal(stdout, await help(...path), path.join(" "));
  }
});

test("a reader that leaves early is no error", async () => {
  const [command, ...args] = commandLine(["--help"]);
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  const [[code], said] = await Promise.all([once(child, "close"), text(child.stderr)]);
  assert.deepEqual([code, said], [0, ""]);
});

describe("--help teaches", () => {
  test("the whole: every command under what it is for, first steps, exit codes", () => {
    assert.ok(paths.length >= 20, paths.join("; "));
    for (const heading of ["Getting started:", "Nightly runs", "For an auditor:", "First day:", "Exit codes:"])
      assert.ok(whole.includes(heading), heading);
  });

  for (const path of paths) {
    test(`${path.join(" ")}: examples of itself, with options that it has; no default that says nothing`, async () => {
      const text = await help(...path);
      const examples = text.split("\nExamples:\n")[1] ?? assert.fail("no examples");
      const own = examples.split("\n").filter((line) => line.startsWith(`  holdfast ${path.join(" ")}`));
      assert.ok(own.length > 0, "an example of the command itself");
      for (const line of own) {
        const [command = ""] = line.split(" | ");
        for (const [option] of command.matchAll(/(?<=\s)--?[a-z][a-z-]*/g))
          assert.match(text, new RegExp(`^ {2}(-\\w, )?${option}\\b`, "m"), `${line}: ${option}`);
      }
      assert.doesNotMatch(text, /default:\s+(false|\[\]|\{)/);
    });
  }
});
