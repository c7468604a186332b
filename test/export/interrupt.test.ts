import assert from "node:assert/strict";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { startSandbox } from "../sandbox/server.ts";
import { makeWorkplace } from "./workplace.ts";

test("SIGTERM in the middle of a run stops it cleanly, and the next run continues from there", async () => {
  await using sandbox = await startSandbox({ identities: 60, plainImages: true, slow: 15 });
  await using place = await makeWorkplace(sandbox);
  const running = place.start("export", ["--json"]);
  // Some are done, others under way.
  const enough = Promise.withResolvers<void>();
  sandbox.intercept(() => {
    if (sandbox.requests.of("file") >= 30) enough.resolve();
    return false;
  });
  await enough.promise;
  running.kill("SIGTERM");
  const ended = await running.ended;
  sandbox.intercept(undefined);
  assert.equal(ended.code, 130, ended.stderr);
  const [cut] = (ended.json as { clients: Summary[] }).clients;
  assert.equal(cut!.outcome, "interrupted");
  assert.ok(cut!.new > 0 && cut!.new < 60, `${cut!.new} of 60`);
  assert.equal(cut!.failed, 0);
  assert.equal((await place.stored()).size, cut!.new);
  await place.expect(0, "verify", "--read-data", "100");

  sandbox.setFaults({ slow: 0 });
  const summary = await place.export();
  assert.deepEqual([summary.new, summary.unchanged, summary.changed], [60 - cut!.new, cut!.new, 0]);
  const stored = await place.stored();
  assert.equal(stored.size, 60);
  for (const versions of stored.values()) assert.equal(versions.length, 1);
  assert.deepEqual(
    (await place.entries("run.finished")).map(({ outcome }) => outcome),
    ["interrupted", "done"],
  );
  const [report] = await place.expect<{ problems: number }>(0, "verify", "--read-data", "100");
  assert.equal(report!.problems, 0);
});

test("SIGTERM in a silence the provider asked for does not wait for its end", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  const asked = Promise.withResolvers<void>();
  sandbox.intercept((request, response) => {
    if (!request.url!.includes("/identities?")) return false;
    response.writeHead(429, { "Retry-After": "120" }).end("{}");
    response.once("finish", () => asked.resolve());
    return true;
  });
  const running = place.start("export");
  await asked.promise;
  running.kill("SIGTERM");
  const begun = performance.now();
  assert.equal((await running.ended).code, 130);
  assert.ok(performance.now() - begun < 30_000);
  assert.deepEqual(
    (await place.entries("run.finished")).map(({ outcome }) => outcome),
    ["interrupted"],
  );
});
