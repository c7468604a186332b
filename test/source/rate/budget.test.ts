import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { HoldfastError, isTransient } from "../../../src/core/error.ts";
import { FATAL } from "../../../src/export/failures.ts";
import { ownStarts } from "../../../src/source/http-limits.ts";
import { Limits } from "../../../src/source/rate/limits.ts";
import { SharedLimits } from "../../../src/source/rate/shared-limits.ts";
import { http, serve } from "../server.ts";

const RATE = { count: 1_000, per: 1_000 };

function place(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-budget-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "client", "limits.sqlite");
}

function limits(t: TestContext, path: string | undefined, budget: number, time: () => string): Limits {
  const store = path === undefined ? undefined : new SharedLimits(path);
  const made = new Limits(RATE, { store, budget, now: () => Date.parse(time()) });
  t.after(() => made.close());
  return made;
}

test("a used-up budget ends the work with one error, which says when it renews; nothing is sent or retried", async (t) => {
  const { got, url } = await serve(t, (response) => response.end("{}"));
  const client = http(t, url, { budget: 2, rate: RATE });
  const ask = () => client.text({ name: "GET /a", path: "/a" }, 10);
  await ask();
  await ask();
  for (let again = 0; again < 2; again++) {
    await assert.rejects(ask(), (error) => {
      assert.ok(error instanceof HoldfastError);
      assert.equal(error.code, "source-budget");
      assert.match(error.message, /^the 2 requests to the source for \d{4}-\d{2} are used up$/);
      assert.match(error.hint!, /They renew on \d{4}-\d{2}-01 at 00:00 UTC/);
      assert.ok(!isTransient(error) && FATAL.includes(error.code));
      return true;
    });
  }
  assert.deepEqual([got.length, client.requests], [2, 2]);
});

test("a retry counts too", async (t) => {
  const { got, url } = await serve(t, (response) => response.writeHead(503).end());
  await assert.rejects(http(t, url, { budget: 2, rate: RATE }).text({ name: "GET /a", path: "/a" }, 10), {
    code: "source-budget",
  });
  assert.equal(got.length, 2);
});

for (const kind of ["a file", "one process"]) {
  test(`a month is one of UTC; the budget renews with it (${kind})`, (t) => {
    let time = "2026-12-31T23:59:59Z";
    const path = kind === "a file" ? place(t) : undefined;
    const one = limits(t, path, 1, () => time);
    one.spend();
    assert.throws(() => one.spend(), { hint: /They renew on 2027-01-01 at 00:00 UTC/ });
    time = "2027-01-01T00:00:00Z";
    one.spend();
    assert.throws(() => one.spend(), { hint: /They renew on 2027-02-01/ });
  });
}

test("the count is shared, survives restarts, and follows a budget that the config changes", (t) => {
  const path = place(t);
  const time = () => "2026-05-05T00:00:00Z";
  const one = limits(t, path, 3, time);
  one.spend();
  limits(t, path, 3, time).spend();
  one.close();
  const later = limits(t, path, 3, time);
  later.spend();
  assert.throws(() => later.spend(), { code: "source-budget" });
  limits(t, path, 4, time).spend();
  assert.throws(() => limits(t, path, 2, time).spend(), { code: "source-budget" });
});

test("processes that start at the same time send no request too many", async (t) => {
  const path = place(t);
  const code = `
    const { ownStarts } = await import(${JSON.stringify(join(import.meta.dirname, "../../../src/source/http-limits.ts"))});
    const starts = ownStarts({ rate: { count: 100000, per: 1000 }, budget: 100, share: { path: process.argv[1] } });
    let count = 0;
    try { for (;;) { await starts.start(); count += 1; } } catch (error) { console.log(count, error.code); }
    starts.close();`;
  const ended = [0, 1, 2].map(async () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", code, path]);
    let out = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    await once(child, "close");
    return out.trim().split(" ");
  });
  const results = await Promise.all(ended);
  assert.equal(
    results.reduce((sum, [count]) => sum + Number(count), 0),
    100,
  );
  for (const [, code] of results) assert.equal(code, "source-budget");
});

test("if the file is unusable, this process continues from the count it knows, and warns once", async (t) => {
  const path = place(t);
  writeFileSync(dirname(path), "a file where the directory should be");
  const troubles: string[] = [];
  const share = { path, onTrouble: (error: HoldfastError) => troubles.push(error.code) };
  const starts = ownStarts({ rate: RATE, budget: 1, share });
  t.after(() => starts.close());
  await starts.start();
  await assert.rejects(starts.start(), { code: "source-budget" });
  assert.deepEqual(troubles, ["state"]);
});
