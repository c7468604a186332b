import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

describe("backfill --plan, asked to stop", { concurrency: 2 }, () => {
  for (const [what, path] of [
    ["while it waits for the list", "/identities?"],
    ["while it counts some identities' files", "/resources"],
  ] as const) {
    test(`${what}: it exits at once with 130`, async () => {
      await using sandbox = await startSandbox({ identities: 30, files: false });
      await using place = await makeWorkplace(sandbox);
      const asked = Promise.withResolvers<void>();
      // Never answered.
      sandbox.intercept((request) => {
        if (!request.url!.includes(path)) return false;
        asked.resolve();
        return true;
      });
      const plan = place.start("backfill", ["--plan"]);
      await asked.promise;
      const begun = performance.now();
      plan.kill("SIGINT");
      const { code } = await plan.ended;
      assert.equal(code, 130);
      assert.ok(performance.now() - begun < 25_000, `${performance.now() - begun} ms`);
    });
  }
});
