import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { promisify } from "node:util";
import { startSandbox } from "./server.ts";

const main = new URL("main.ts", import.meta.url).pathname;

function run(...args: string[]): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], (error, _, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stderr }),
    );
  });
}

test("the error for a bad option names it with its value, and the exit code is 2", async () => {
  for (const [args, named] of [
    [["--port", "70000"], /--port .*'70000'/],
    [["--identities", "many"], /--identities .*'many'/],
    [["--fail", "101"], /--fail .*'101'/],
    [["--rate", "0"], /--rate .*'0'/],
    [["--provider", "other"], /--provider .*'other'/],
    [["--nonsense"], /--nonsense/],
  ] as const) {
    const { code, stderr } = await run(...args);
    assert.equal(code, 2);
    assert.match(stderr, named);
  }
});

/** Starts it, and asks with the curl line that it prints. */
async function printed(...args: string[]): Promise<{ answer: unknown; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [main, ...args, "--identities", "3"], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let curl = "";
  for await (const line of createInterface({ input: child.stdout })) {
    curl = line.trim();
    if (curl.startsWith("curl ")) break;
  }
  const [url = ""] = curl.match(/http:[^']+/) ?? [];
  const headers = [...curl.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]): [string, string] => [
    name!,
    value!,
  ]);
  const answer = await (await fetch(url, { headers })).json();
  const stop = async () => {
    child.kill("SIGINT");
    assert.deepEqual(await closed, [0, null]);
  };
  return { answer, stop };
}

for (const [provider, holds] of [
  ["persona", (one: object) => "updated-at" in (one as { attributes: object }).attributes],
  ["stripe", (one: object) => "redaction" in one],
  ["onfido", (one: object) => "delete_at" in one],
] as const)
  test(`with --provider ${provider} its curl line works as printed`, async () => {
    const { answer, stop } = await printed("--provider", provider);
    const { data, applicants } = answer as Record<string, object[]>;
    const rows = data ?? applicants!;
    assert.equal(rows.length, 2);
    assert.ok(holds(rows[0]!));
    await stop();
  });

test("with --provider sumsub its lines for a shell work as printed", async () => {
  const child = spawn(process.execPath, [main, "--provider", "sumsub", "--identities", "3"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const ids: string[] = [];
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (lines.length > 0 || line.startsWith("at=")) lines.push(line);
    else if (/^[0-9a-f]{24}$/.test(line)) ids.push(line);
    if (lines.at(-1)?.includes("curl ")) break;
  }
  assert.equal(ids.length, 3, "the ids for backfill --ids");
  const { stdout } = await promisify(execFile)("sh", ["-c", lines.join("\n")]);
  assert.ok("inspectionId" in (JSON.parse(stdout) as object), stdout);
  child.kill("SIGINT");
  assert.deepEqual(await closed, [0, null]);
});

test("with --provider veriff its curl line works as printed", async () => {
  const { answer, stop } = await printed("--provider", "veriff");
  assert.equal((answer as { status: string }).status, "success");
  await stop();
});

test("a port in use is reported", async () => {
  await using sandbox = await startSandbox();
  const { code, stderr } = await run("--port", new URL(sandbox.url).port);
  assert.equal(code, 2);
  assert.match(stderr, /another program listens/);
});

test("it prints its address, answers, and stops cleanly on Ctrl-C", async () => {
  const child = spawn(process.execPath, [main, "--identities", "3", "--no-files"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const url = String((await lines.next()).value);
  const key = String((await lines.next()).value).replace("X-API-KEY: ", "");
  const response = await fetch(`${url}/identities`, { headers: { "X-API-KEY": key } });
  const { data } = (await response.json()) as { data: unknown[] };
  assert.equal(data.length, 3);
  child.kill("SIGINT");
  assert.deepEqual(await closed, [0, null]);
});
