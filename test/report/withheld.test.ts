import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("files that the provider withholds are told by reconcile and by the report, and a run made good is no concern", async () => {
  await using sandbox = await startSandbox({ identities: 8, plainImages: true, withhold: 100 });
  await using place = await makeWorkplace(sandbox);
  sandbox.intercept((_request, response) => {
    response.writeHead(401).end("{}");
    return true;
  });
  assert.notEqual((await place.here("export")).code, 0);
  sandbox.intercept(undefined);
  await place.export();
  const [{ withheld }] = (await place.expect<{ withheld: { count: number } }>(0, "reconcile")) as [
    { withheld: { count: number } },
  ];
  assert.ok(withheld.count > 0);
  const { stderr } = await place.here("reconcile");
  assert.match(stderr, new RegExp(`but for files of ${withheld.count} that the provider withholds`));
  const out = place.path("report.html");
  assert.equal((await place.here("report", ["--out", out])).code, 0);
  const page = await readFile(out, "utf8");
  assert.match(page, /lack files that the source withholds/);
  assert.doesNotMatch(page, /The last export, on/);
});
