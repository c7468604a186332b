import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { startSandbox } from "../sandbox/server.ts";
import { onPath } from "../servers/ceph.ts";
import { bash } from "./bash.ts";
import { blocks, toRun } from "./pages.ts";

const missing = ["age", "jq", "xxd", "curl", "openssl", "python3"].filter((name) => !onPath(name));
const FORMAT = await readFile("docs/FORMAT.md", "utf8");
let folder: string;
let output: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdfast-demo-"));
  const demo = spawn(process.execPath, [resolve("test/demo.ts")], {
    cwd: folder,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, said, [code]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, "close")]);
  assert.equal(code, 0, said);
  output = out;
  for (const { file, text } of blocks) if (file !== undefined) await writeFile(join(folder, file), `${text}\n`);
});
after(() => rm(folder, { recursive: true, force: true }));

test("the demo says what the README shows of it, but for times", () => {
  const shown = blocks.find(({ page, language }) => page === "README.md" && language === "text")!.text.split("\n");
  assert.ok(shown.length > 10);
  const plain = (line: string): string => line.replaceAll(/\d+ s\b/g, "# s");
  const said = output.split("\n").map(plain);
  for (const line of shown) {
    const at = said.indexOf(plain(line));
    assert.notEqual(at, -1, line);
    said.splice(0, at + 1);
  }
});

describe("the worked example of docs/FORMAT.md", {
  skip: missing.length > 0 && `${missing.join(", ")} is not installed`,
}, () => {
  // `npm run sandbox` is this sandbox; the tokens are of its first identity.
  const [identity, canonical, ...rest] = toRun("format");
  const scripted = (port: number, ...scripts: (string | undefined)[]): string =>
    ["set +e", "npm() { :; }", ...scripts].join("\n").replaceAll("127.0.0.1:4010", `127.0.0.1:${port}`);

  test("every token of its table", async () => {
    await using sandbox = await startSandbox({ identities: 1 });
    const port = Number(new URL(sandbox.url).port);
    const section = FORMAT.slice(FORMAT.indexOf("\n### Tokens\n"), FORMAT.indexOf("\n### A record and its files\n"));
    const rows = [...section.matchAll(/^\| `(.+?)`(?: \([^`]*\))? +\| `([^`]+)` *\|$/gm)];
    assert.equal(rows.length, 12);
    const commands = rows.map(([, command = ""]) => command.replaceAll("\\|", "|"));
    const out = await bash(scripted(port, identity, canonical, ...commands), { cwd: folder });
    assert.deepEqual(
      out.trim().split("\n"),
      rows.map(([, , token]) => token),
    );
  });

  test("a record and its files, the log, and a bag", async () => {
    await using sandbox = await startSandbox({ identities: 1 });
    const port = Number(new URL(sandbox.url).port);
    const out = await bash(scripted(port, identity, canonical, ...rest), { cwd: folder });
    assert.match(out, /^same: files\//m);
    const [, subject, version, path] = /^([0-9a-f]{32})\n([0-9a-f]{12})\n(records\/.*)$/m.exec(out)!;
    assert.ok(path!.includes(`/${subject}/`) && path!.endsWith(`-${version}.age`), path!);
    assert.match(out, /^Signature Verified Successfully$/m);
    const log = await readFile(join(folder, "log.jsonl"), "utf8");
    const objects = (await readdir(join(folder, "demo/vault/acme-bank"), { recursive: true })).filter((name) =>
      /^(records|files)\/.*\.age$/.test(name),
    );
    assert.ok(FORMAT.includes(`that is ${log.trim().split("\n").length} entries and ${objects.length} objects`));
    assert.match(out, /^all of them$/m);
    assert.match(out, /^\d+ files, \d+ entries of acme-bank\.example\/holdfast: all as the log says$/m);
  });

  test("bag.py refuses a bag in which a file, an entry, a proof or the key is another", async () => {
    const bag = join(folder, "demo/case-2026-117");
    const { log } = JSON.parse(await readFile(join(bag, "evidence/vault.json"), "utf8"));
    const names = await readdir(bag, { recursive: true });
    const check = (vkey: string) => bash(`python3 bag.py '${bag}' '${vkey}'`, { cwd: folder });
    for (const part of [/^data\/.*\.age$/, /^evidence\/entries\/.*\.json$/, /\.tlog-proof$/, /^manifest-/, /\.note$/]) {
      const path = join(bag, names.find((name) => part.test(name))!);
      const whole = await readFile(path);
      await appendFile(path, "x");
      await assert.rejects(check(log.vkey), /refused: |Error/, path);
      await writeFile(path, whole);
    }
    await check(log.vkey);
    const other = "acme-bank.example/holdfast+5afb72df+AfbvJdtp3l9jxiBoyaIzgm0JbjP+Au0Si7FZXTFS3pT9";
    await assert.rejects(check(other), /refused: the log's key did not sign this/);
  });
});
