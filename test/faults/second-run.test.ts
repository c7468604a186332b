import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { makeWorkplace, type WorkplaceOptions } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { lockedBucket, withoutCeph } from "../servers/s3.ts";
import { startStrictS3 } from "../servers/strict-s3.ts";

/** The provider delays the first run while a second one starts. */
async function secondRun(options: WorkplaceOptions): Promise<void> {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox, options);
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  sandbox.intercept((request, response) => {
    // Before it takes the vault, a run asks without a key what time it is.
    if (request.headers["x-api-key"] === undefined) return false;
    asked.resolve();
    void release.promise.then(() => response.writeHead(503, { "Retry-After": "0" }).end());
    return true;
  });
  const first = place.start("export", ["--json"]);
  assert.equal(await Promise.race([asked.promise, first.ended]), undefined);
  const begun = performance.now();
  const second = await place.here("export", ["--json"]);
  assert.equal(second.code, 5, second.stderr);
  assert.ok(performance.now() - begun < 60_000);
  const { code, error } = second.log.at(-1)!;
  assert.equal(code, "busy");
  assert.ok(String(error).includes(`${first.pid}`), "names the holder");
  sandbox.intercept(undefined);
  release.resolve();
  const ended = await first.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal((await place.export()).unchanged, 3);
  assert.deepEqual(
    (await place.entries("run.finished")).map(({ outcome }) => outcome),
    ["done", "done"],
  );
  await place.expect(0, "verify", "--read-data", "100");
}

describe("a second export while one runs exits 5 at once, and names the holder", { concurrency: 2 }, () => {
  test("directory", () => secondRun({}));

  test("strict S3", async () => {
    const s3 = await startStrictS3();
    const url = `s3://${await lockedBucket(s3.endpoint)}/acme`;
    try {
      await secondRun({ client: { vault: { url, endpoint: s3.endpoint, forcePathStyle: true } } });
    } finally {
      await s3.close();
    }
  });

  test("Ceph RGW", { skip: withoutCeph }, () => secondRun({ vault: "ceph" }));
});
