import assert from "node:assert/strict";
import { test } from "node:test";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("--schedule runs on the cron line, one run at a time, until it is asked to stop", async () => {
  await using sandbox = await startSandbox({ identities: 20, files: false });
  await using place = await makeWorkplace(sandbox);
  place.config.schedule = { cron: "* * * * * *", timezone: "Europe/Berlin" };
  await place.configure();
  // The first run is held until the next is due: by then one more would have begun.
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let lists = 0;
  sandbox.intercept((request, response) => {
    if (!request.url!.includes("/identities?") || ++lists > 1) return false;
    asked.resolve();
    void release.promise.then(() => response.writeHead(503, { "Retry-After": "0" }).end());
    return true;
  });
  const daemon = place.start("export", ["--schedule"]);
  await daemon.logged(({ level }) => level === "warn");
  // A run that takes a second to begin is late for the next one too.
  await asked.promise;
  assert.equal(lists, 1);
  release.resolve();
  const finished = new Set<unknown>();
  const nextRun = () =>
    daemon.logged(({ outcome, run }) => outcome !== undefined && !finished.has(run) && finished.add(run).size > 0);
  await nextRun();
  sandbox.change(4);
  await nextRun();
  await nextRun();
  daemon.kill("SIGTERM");
  const { code } = await daemon.ended;
  assert.ok(code === 0 || code === 130, `ended with ${code}`);

  const entries = (await place.entries()).filter(({ type }) => type.startsWith("run."));
  assert.ok(entries.length >= 6);
  for (const [position, { type }] of entries.entries()) {
    assert.equal(type, position % 2 === 0 ? "run.started" : "run.finished");
  }
  const stored = await place.entries("record.stored");
  assert.equal(stored.length, 20 + 4);
  await place.expect(0, "verify");
});

test("a run that fails does not end the daemon", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  place.config.schedule = { cron: "* * * * * *" };
  await place.configure();
  sandbox.intercept((_, response) => {
    response.writeHead(401).end("{}");
    return true;
  });
  const daemon = place.start("export", ["--schedule"]);
  await daemon.logged(({ code }) => code === "source-key");
  sandbox.intercept(undefined);
  await daemon.logged(({ outcome }) => outcome === "done");
  daemon.kill("SIGTERM");
  await daemon.ended;
  assert.equal((await place.stored()).size, 3);
});
