import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { Reconciled } from "../../jobs/reconcile.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("while an export runs, reconcile and report say so, and since when; afterwards they do not", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
  let first = true;
  sandbox.intercept((request, response) => {
    // Before it takes the vault, a run only asks what time it is.
    if (!first || !request.url!.includes("/settings")) return false;
    first = false;
    isAsked();
    void held.then(() => response.writeHead(500).end("{}"));
    return true;
  });
  const running = place.start("export");
  await asked;
  const said =
    /"An export is under way since \d{4}-\d\d-\d\d \d\d:\d\d UTC; the figures are of the log as it is now\."/;
  const ended = await place.here("reconcile", ["--json"]);
  assert.equal(ended.code, 3);
  const [of] = (ended.json as { clients: Reconciled[] }).clients;
  assert.equal(of!.underWay.state, "running");
  assert.ok(of!.underWay.state === "running" && of!.underWay.job === "export");
  assert.match(ended.stderr, new RegExp(said.source.replaceAll('"', "")));
  assert.match(ended.stderr, /3 at the source, not in the log yet/);
  assert.match(ended.stderr, /run `holdfast reconcile` again when it has finished/);
  assert.equal((await place.here("report", ["--out", place.path("report.html")])).code, 0);
  assert.match(await readFile(place.path("report.html"), "utf8"), /<p>An export is under way since /);
  letGo();
  assert.equal((await running.ended).code, 0);

  const [after] = await place.expect<Reconciled>(0, "reconcile");
  assert.deepEqual(after!.underWay, { state: "idle" });
});

test("a lease that cannot be read: that is said, and the figures are given", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const vault = await place.vault();
  await vault.put("lease.json", Buffer.from("not a lease"));
  await vault.close();
  const [of] = await place.expect<Reconciled>(0, "reconcile");
  assert.equal(of!.vault.subjects, 1);
  const { stderr } = await place.here("reconcile");
  if (of!.underWay.state !== "unknown") assert.fail(JSON.stringify(of!.underWay));
  assert.match(stderr, /Could not check whether an export is under way: /);
  assert.equal((await place.here("report", ["--out", place.path("report.html")])).code, 0);
  assert.match(
    await readFile(place.path("report.html"), "utf8"),
    /<li>Could not check whether an export is under way: /,
  );
});
