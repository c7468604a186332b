import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { onPath } from "../servers/ceph.ts";
import { commandLine, program } from "./program.ts";
import { onTerminal, withoutTerminal } from "./terminal.ts";

const noAge = !onPath("age") && "age is not installed";
const PRIVATE = /AGE-SECRET-KEY/i;

describe("keygen", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-keygen-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const at = (name: string): string => join(folder, name);

  test("the file is in age-keygen's format, readable only by this user; the public key is printed, the private one is not", async () => {
    const before = Date.now();
    const ended = await program(["keygen", "--out", "officer.txt"], { cwd: folder });
    assert.equal(ended.code, 0, ended.stderr);
    const lines = (await readFile(at("officer.txt"), "utf8")).split("\n");
    assert.equal(lines.length, 4);
    const [, created] = /^# created: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/.exec(lines[0]!)!;
    assert.ok(Math.abs(Date.parse(created!) - before) < 120_000);
    const [, recipient] = /^# public key: (age1[0-9a-z]{58})$/.exec(lines[1]!)!;
    assert.match(lines[2]!, /^AGE-SECRET-KEY-1[0-9A-Z]{58}$/);
    assert.equal(lines[3], "");
    assert.equal((await stat(at("officer.txt"))).mode & 0o777, 0o600);
    assert.equal(ended.stdout, `Public key: ${recipient}\n`);
    assert.doesNotMatch(ended.stderr, PRIVATE);
    assert.match(ended.stderr, /never on the exporting machine/);
    assert.match(ended.stderr, /to open one bag, give it to `holdfast reseal --to`/);
  });

  test("--json: one object, with the public key and the file", async () => {
    const ended = await program(["keygen", "--out", "json.txt", "--json"], { cwd: folder });
    const text = await readFile(at("json.txt"), "utf8");
    const [, recipient] = /# public key: (.*)/.exec(text)!;
    assert.deepEqual(ended.json, { command: "keygen", recipient, file: "json.txt" });
  });

  test("age opens with the key what was sealed to it, and age-keygen reads the file", { skip: noAge }, async () => {
    const ended = await program(["keygen", "--out", "age.txt", "--json"], { cwd: folder });
    const { recipient } = ended.json as { recipient: string };
    const options = { cwd: folder, encoding: "utf8" } as const;
    assert.equal(execFileSync("age-keygen", ["-y", "age.txt"], options).trim(), recipient);
    execFileSync("age", ["-r", recipient, "-o", "sealed.age"], { ...options, input: "ünï" });
    assert.equal(execFileSync("age", ["-d", "-i", "age.txt", "sealed.age"], options), "ünï");
    const opened = await program(["open", "sealed.age", "--key", "age.txt"], { cwd: folder });
    assert.equal(opened.stdout, "ünï");
  });

  test("nothing is written over: a file, a folder, a link that leads nowhere", async () => {
    await writeFile(at("taken.txt"), "mine");
    await mkdir(at("taken"));
    await symlink(at("nowhere"), at("link.txt"));
    for (const out of ["taken.txt", "taken", "link.txt"]) {
      const ended = await program(["keygen", "--out", out], { cwd: folder });
      assert.deepEqual([ended.code, ended.stdout], [2, ""], out);
      assert.match(String(ended.log.at(-1)!.error), /already exists/);
    }
    assert.equal(await readFile(at("taken.txt"), "utf8"), "mine");
    assert.deepEqual(await readdir(at("taken")), []);
    assert.ok(!(await readdir(folder)).includes("nowhere"));
  });

  test("in a folder that is not there, or is no folder", async () => {
    const missing = await program(["keygen", "--out", "no/officer.txt"], { cwd: folder });
    assert.equal(missing.code, 2);
    assert.match(String(missing.log.at(-1)!.hint), /in a folder that exists/);
    const full = await program(["keygen", "--out", "/dev/full/officer.txt"]);
    assert.deepEqual([full.code, full.stdout], [2, ""]);
  });

  test("a folder that is not writable", async () => {
    const locked = at("locked");
    await mkdir(locked);
    // Root may write anywhere.
    await chmod(folder, 0o755);
    await chmod(locked, 0o555);
    const other = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const [command, ...args] = commandLine(["keygen", "--out", join(locked, "officer.txt")]);
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
    const ended = spawnSync(command, args, { encoding: "utf8", cwd: "/", env, ...other });
    assert.equal(ended.status, 1, ended.stderr);
    assert.match(ended.stderr, /EACCES.*a folder that you can write to/);
    assert.deepEqual(await readdir(locked), []);
  });

  test("without --out no key is made, whether a file, a pipe or a terminal would get it", async (context) => {
    const ended = await program(["keygen"], { cwd: folder });
    assert.deepEqual([ended.code, ended.stdout], [2, ""]);
    assert.match(String(ended.log.at(-1)!.hint), /holdfast keygen --out officer\.txt/);
    await context.test("on a terminal", { skip: withoutTerminal }, async () => {
      const seen = await onTerminal(["keygen"], folder);
      assert.equal(seen.code, 2);
      assert.doesNotMatch(seen.text, PRIVATE);
    });
  });

  test("on a terminal: the public key, where the private one belongs, and what to do next", {
    skip: withoutTerminal,
  }, async () => {
    const seen = await onTerminal(["keygen", "--out", "shown.txt"], folder);
    assert.equal(seen.code, 0, seen.text);
    const [, recipient] = /# public key: (.*)/.exec(await readFile(at("shown.txt"), "utf8"))!;
    assert.deepEqual(seen.lines.slice(0, 2), [
      `Public key: ${recipient}`,
      "shown.txt contains the private key. It opens every record sealed to it.",
    ]);
    assert.match(seen.text, /never on the exporting machine/);
    assert.doesNotMatch(seen.text, PRIVATE);
  });
});
