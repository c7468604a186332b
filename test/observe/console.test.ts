import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { HoldfastError } from "../../src/core/error.ts";
import { createConsole, errorText } from "../../src/observe/console.ts";
import { errorFields } from "../../src/observe/log.ts";

function stream(isTTY: boolean) {
  const written: string[] = [];
  const out = { isTTY, columns: 80, on: () => {}, write: (text: string) => written.push(text) > 0 };
  return { out: out as unknown as NodeJS.WriteStream, text: () => written.join("") };
}

const failure = new HoldfastError("vault-denied", "the store refused", { hint: "Grant it." });

test("with --json stdout holds one object, whatever is told after it", () => {
  const [stdout, stderr] = [stream(false), stream(true)];
  const console = createConsole({ json: true, quiet: false, stdout: stdout.out, stderr: stderr.out });
  console.result({ done: 1 }, ["one is done"]);
  console.result({ error: {} });
  assert.deepEqual(JSON.parse(stdout.text()), { done: 1 });
});

test("without it stdout holds what is for people, and nothing otherwise", () => {
  const [stdout, stderr] = [stream(false), stream(true)];
  const console = createConsole({ json: false, quiet: false, stdout: stdout.out, stderr: stderr.out });
  console.result({ done: 1 });
  assert.equal(stdout.text(), "");
  console.result({ done: 2 }, ["two"]);
  assert.equal(stdout.text(), "two\n");
});

test("in JSON lines, all that a command says is one of them", async () => {
  const say = `import { createConsole } from "./src/observe/console.ts";
    const console = createConsole({ json: false, quiet: false, format: "json" });
    console.say(["acme: done", "  new  3", "  bad  \u001b[2J"]);
    console.say("alone");`;
  const cwd = join(import.meta.dirname, "../..");
  const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", say], { cwd });
  const [all, alone] = stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    [all.msg, all.lines, alone.msg, alone.lines],
    ["acme: done", ["  new  3", "  bad  \u001b[2J"], "alone", undefined],
  );
  assert.ok(!stderr.includes("\u001b"), "nothing drives a terminal");
});

test("on a terminal: words, warnings and errors with their hint; --quiet leaves out all but these", () => {
  for (const quiet of [false, true]) {
    const stderr = stream(true);
    const console = createConsole({ json: false, quiet, stdout: stream(true).out, stderr: stderr.out });
    console.say("a summary");
    console.log.info("a detail");
    const progress = console.progress("acme");
    progress.update(1, 2);
    progress.end();
    console.log.warn("look", { subject: "ab12", error: "why", hint: "Do so." });
    console.error(failure);
    const text = stderr.text();
    assert.equal(text.includes("a summary"), !quiet);
    assert.equal(text.includes("acme"), !quiet);
    assert.ok(!text.includes("a detail"));
    for (const part of ["look (ab12): why", "Do so.", "the store refused", "Grant it."]) assert.ok(text.includes(part));
  }
});

test("an error of ours has no stack; a defect says that it is one", () => {
  assert.ok(!errorText(failure).join("\n").includes(" at "));
  const text = errorText(new TypeError("jane@example.com")).join("\n");
  assert.match(text, /bug in Holdfast/);
  assert.match(text, /console\.test\.ts/);
  assert.ok(!text.includes("jane"));
});

test("a hint of several lines stays below its arrow", () => {
  const two = new HoldfastError("incomplete", "locks stay due", { hint: ["Run it again.", "Give all reports."] });
  assert.deepEqual(errorText(two), ["locks stay due", "  → Run it again.", "    Give all reports."]);
});

test("a defect that ends a run is shown, though another of the same kind was shown before", () => {
  const stderr = stream(true);
  const console = createConsole({ json: false, quiet: false, stdout: stream(true).out, stderr: stderr.out });
  const [ofOne, ofAll] = [0, 1].map(() => new TypeError("jane@example.com"));
  ofAll!.stack = "TypeError\n    at elsewhere (file.ts:1:1)";
  console.log.error("record failed", errorFields(ofOne));
  console.error(ofAll);
  assert.match(stderr.text(), /bug in Holdfast.* at elsewhere/s);
  const before = stderr.text();
  console.error(ofOne);
  assert.equal(stderr.text(), before);
});

test("an error that ends a run is shown, though one person failed with the same before", () => {
  const stderr = stream(true);
  const console = createConsole({ json: false, quiet: false, stdout: stream(true).out, stderr: stderr.out });
  const told = () => stderr.text().split("the store refused").length - 1;
  console.log.error("lock not extended", { subject: "ab12", ...errorFields(failure) });
  console.error(failure);
  assert.equal(told(), 2);
  console.log.error("run failed", errorFields(failure));
  console.error(failure);
  assert.equal(told(), 3);
});
