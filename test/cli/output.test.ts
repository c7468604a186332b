import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { onTerminal, withoutTerminal } from "./terminal.ts";

const ESCAPE = "\u001b[";
const RED = `${ESCAPE}31m`;
const GREEN = `${ESCAPE}32m`;
/** As a user's shell has it: what the tests ask for by themselves is taken away. */
const PLAIN = { HOLDFAST_LOG_FORMAT: undefined };

test("the error that ends a run is shown once on a terminal; elsewhere the log has a line of its own", {
  skip: withoutTerminal,
}, async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox);
  sandbox.intercept((_, response) => {
    response.writeHead(401).end("{}");
    return true;
  });
  const { code, lines } = await onTerminal(["export"], place.folder);
  assert.equal(code, 1);
  assert.equal(lines.filter((line) => line.includes("answered 401")).length, 1, lines.join("\n"));
  assert.equal(lines.filter((line) => line.startsWith("  → ")).length, 1, lines.join("\n"));
  const { log } = await place.holdfast("export");
  assert.deepEqual(
    log.filter(({ level }) => level === "error").map(({ msg }) => msg),
    ["run failed", "failed"],
  );
});

describe("where no terminal is", () => {
  let sandbox: Sandbox;
  let place: Workplace;
  before(async () => {
    sandbox = await startSandbox({ identities: 3, files: false });
    place = await makeWorkplace(sandbox);
  });
  after(async () => {
    await place?.[Symbol.asyncDispose]();
    await sandbox?.close();
  });

  test("stderr is text with figures: log lines with their time, and the summary that a terminal shows", async () => {
    const { code, stderr, stdout } = await place.holdfast("export", [], { env: PLAIN });
    assert.deepEqual([code, stdout], [0, ""], stderr);
    assert.match(stderr, /^\d\d:\d\d:\d\d info {2}run started \(acme-bank\)$/m);
    assert.match(stderr, /^acme-bank: done, 3 identities examined {2}\(run /m);
    assert.match(stderr, /^ {2}requests {2}\d+ to the source/m);
    assert.doesNotMatch(stderr, /^\{/m);
    assert.ok(!stderr.includes("\u001b") && !stderr.includes("\r"));
  });

  test("--quiet has warnings and errors alone, --log-level chooses", async () => {
    const quiet = await place.holdfast("export", ["--quiet"], { env: PLAIN });
    assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [0, "", ""]);
    const debug = await place.holdfast("export", ["--log-level", "error"], { env: PLAIN });
    assert.doesNotMatch(debug.stderr, /info/);
  });

  test("lines are not wrapped, and an error has its fix below it", async () => {
    const { code, stderr } = await place.holdfast("export", ["--client", "other"], { env: PLAIN });
    assert.equal(code, 2);
    assert.match(stderr, /^[^{].*other.*\n {2}→ .*\n$/);
  });

  test("JSON lines are asked for: by the variable, and by the option, which goes first", async () => {
    for (const [variable, option, isJson] of [
      ["json", [], true],
      ["text", [], false],
      ["", [], false],
      ["json", ["--log-format", "text"], false],
      ["text", ["--log-format", "json"], true],
    ] as const) {
      const ended = await place.holdfast("verify", option, { env: { HOLDFAST_LOG_FORMAT: variable } });
      assert.equal(ended.code, 0, ended.stderr);
      const lines = ended.stderr.trimEnd().split("\n");
      assert.equal(ended.log.length === lines.length, isJson, `${variable} ${option}: ${ended.stderr}`);
    }
  });

  test("a variable that names no format is refused, with the choices", async () => {
    for (const command of ["export", "open"]) {
      const args = command === "open" ? ["none", "--key", "none"] : [];
      const { code, stderr } = await place.holdfast(command, args, { env: { HOLDFAST_LOG_FORMAT: "xml" } });
      assert.equal(code, 2);
      assert.match(stderr, /HOLDFAST_LOG_FORMAT.*text, json/);
    }
  });

  test("there is no colour, unless it is asked for", async () => {
    const verify = async (args: readonly string[], env = {}): Promise<string> =>
      (await place.holdfast("verify", args, { env: { ...PLAIN, ...env } })).stderr;
    assert.ok(!(await verify([])).includes(ESCAPE));
    assert.ok((await verify(["--color", "always"])).includes(`${GREEN}acme-bank: all is well`));
    assert.ok((await verify([], { FORCE_COLOR: "1" })).includes(GREEN));
    assert.ok(!(await verify(["--color", "never"], { FORCE_COLOR: "1" })).includes(ESCAPE));
    const json = await place.holdfast("verify", ["--color", "always", "--log-format", "json"]);
    assert.ok(!json.stderr.includes(ESCAPE));
  });
});

describe("on a terminal", { skip: withoutTerminal, concurrency: true }, () => {
  let sandbox: Sandbox;
  let place: Workplace;
  before(async () => {
    sandbox = await startSandbox({ identities: 3, files: false });
    place = await makeWorkplace(sandbox);
    await place.export();
  });
  after(async () => {
    await place?.[Symbol.asyncDispose]();
    await sandbox?.close();
  });
  const verify = (...args: string[]) => ["verify", "--config", place.file, ...args];

  test("good is green and an error is red; NO_COLOR and --color never have none", async () => {
    const good = await onTerminal(verify(), place.folder, { env: {} });
    assert.ok(good.text.includes(`${GREEN}acme-bank: all is well`), good.text);
    const bad = await onTerminal(verify("--client", "other"), place.folder, { env: {} });
    assert.ok(bad.text.includes(RED), bad.text);
    const mistyped = await onTerminal(["verify", "--no-such"], place.folder, { env: {} });
    assert.ok(mistyped.text.includes(`${RED}error: unknown option`), mistyped.text);
    for (const [args, env] of [
      [["verify", "--no-such"], { NO_COLOR: "1" }],
      [verify(), { NO_COLOR: "1" }],
      [verify("--color", "never"), {}],
    ] as const) {
      const { text } = await onTerminal(args, place.folder, { env });
      assert.ok(!text.replaceAll("\u001b[K", "").includes(ESCAPE), JSON.stringify(text));
    }
  });

  test("what the environment asks of pipes does not bind it; the option does", async () => {
    const { text } = await onTerminal(verify(), place.folder, { env: { HOLDFAST_LOG_FORMAT: "json" } });
    assert.ok(text.includes("acme-bank: all is well"));
    assert.doesNotMatch(text, /^\{/m);
    const { lines } = await onTerminal(verify("--log-format", "json"), place.folder);
    for (const line of lines.filter((each) => each !== "")) JSON.parse(line);
  });

  test("text is wrapped to its width: no word is broken, and the indent stays", async () => {
    const shown = async (columns?: number): Promise<string[]> => {
      const { text } = await onTerminal(verify(), place.folder, columns ? { columns } : {});
      // What clears the progress line begins what stays.
      const lines = text
        .replaceAll("\r\n", "\n")
        .split("\n")
        .flatMap((line) => line.split("\r\u001b[K").at(-1)!);
      return lines.slice(lines.findIndex((line) => line.startsWith("acme-bank: all is well")));
    };
    const [narrow, whole] = [await shown(50), await shown()];
    // The checkpoint is copied: its line stays whole.
    for (const line of narrow) assert.ok(line.length <= 50 || line.startsWith("  keep "), JSON.stringify(line));
    assert.match(narrow.find((line) => line.startsWith("  keep "))!, /root hash \S{44}$/);
    assert.ok(whole.some((line) => line.length > 50));
    assert.equal(narrow.join(" ").replaceAll(/\s+/g, " "), whole.join(" ").replaceAll(/\s+/g, " "));
    const log = narrow.findIndex((line) => line.startsWith("  log "));
    assert.match(narrow[log + 1]!, /^ {12}\S/);
  });

  test("a progress line names its figures; the first run guesses nothing, the next says about how many", async () => {
    await using provider = await startSandbox({ identities: 3, files: false });
    await using own = await makeWorkplace(provider);
    const first = await onTerminal(["export", "--config", own.file], own.folder);
    assert.match(first.text, /identities {2}\d .* s so far .*provider: [\d.]+ of 10000 requests\/s/);
    assert.doesNotMatch(first.text, /about/);
    provider.change([0, 1, 2]);
    const next = await onTerminal(["export", "--config", own.file], own.folder);
    assert.match(next.text, /identities .*about \d+ % {2}\d of about 3 /);
    const read = await onTerminal(["verify", "--read-data", "100", "--config", own.file], own.folder);
    assert.match(read.text, /objects .*\d+ % {2}\d of 6 .*[\d.]+ k?B of [\d.]+ kB read/);
  });

  test("doctor prints failures last, after what is well, with a count", async () => {
    await using broken = await place.copy();
    await rm(broken.path("keys/provider"));
    const { code, lines, text } = await onTerminal(["doctor", "--config", broken.file], broken.folder, { env: {} });
    assert.equal(code, 1, text);
    const levels = lines.flatMap((line) => /^ {2}\S*?(ok|WARNING|FAILURE)\b/.exec(line)?.[1] ?? []);
    assert.ok(levels.includes("ok") && levels.includes("FAILURE"), text);
    assert.deepEqual(
      levels,
      [...levels].sort((a, b) => rank(a) - rank(b)),
    );
    assert.match(lines.at(-2)!, /\d+ failures?, \d+ warnings?, \d+ ok/);
    assert.ok(text.includes(`${RED}FAILURE`) && text.includes(`${GREEN}ok`));
  });
});

const rank = (level: string): number => ["ok", "WARNING", "FAILURE"].indexOf(level);
