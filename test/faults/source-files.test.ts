import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { brief, type FaultPlace, impatient, makePlace, makeStrictPlace } from "./place.ts";
import * as the from "./requests.ts";

const CHUNK = Buffer.alloc(64 * 1024, 7);

const endless: the.Fault = (response) => {
  const more = (): void => {
    while (!response.destroyed && response.write(CHUNK));
  };
  response.writeHead(200, { "Content-Type": "video/mp4" }).on("drain", more);
  more();
};

const indexWithFiles = (sandbox: Sandbox): number =>
  sandbox.ids().findIndex((_, index) => sandbox.resources(index).length > 0);

/** Applies the fault to one identity's files: that record fails, and the log has nothing of it. */
async function failsAlone(
  place: FaultPlace,
  sandbox: Sandbox,
  fault: the.Fault,
  code: string,
  patience = brief,
): Promise<void> {
  the.strike(sandbox, the.filesOf(sandbox, indexWithFiles(sandbox)), fault);
  const ended = await place.export({ patience: { ...patience, maxFile: 12 * 1024 * 1024 } });
  assert.deepEqual([ended.exit, ended.summary?.failed, ended.summary?.new], [3, 1, 3]);
  assert.deepEqual(
    (await place.work.entries("record.failed")).map((entry) => entry.code),
    [code],
  );
  await place.isWhole(3);
  sandbox.intercept(undefined);
  await place.completes();
}

describe("a file", { concurrency: 3 }, () => {
  test("without end is refused at the size limit, in a directory", async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    await using place = await makePlace(sandbox);
    await failsAlone(place, sandbox, endless, "source-response");
  });

  test("without end is refused on S3, and its upload is aborted", async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    await using strict = await makeStrictPlace(sandbox);
    await failsAlone(strict.place, sandbox, endless, "source-response");
    assert.ok(strict.s3.requests.CreateMultipartUpload! >= 1);
    assert.equal(strict.s3.requests.AbortMultipartUpload, strict.s3.requests.CreateMultipartUpload);
  });

  test("that is cut during its upload leaves no object and no parts", async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    await using strict = await makeStrictPlace(sandbox);
    const cut: the.Fault = (response) => {
      const size = 10 * 1024 * 1024;
      response.writeHead(200, { "Content-Length": 2 * size }).write(Buffer.alloc(size), () => response.destroy());
    };
    await failsAlone(strict.place, sandbox, cut, "source-unavailable");
    assert.ok(strict.s3.requests.CreateMultipartUpload! >= 1);
    assert.equal(strict.s3.requests.AbortMultipartUpload, strict.s3.requests.CreateMultipartUpload);
  });

  test("that is unavailable is requested as often as the policy says, without extra retries by the vault", async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    await using place = await makePlace(sandbox);
    const struck = the.strike(sandbox, the.filesOf(sandbox, indexWithFiles(sandbox)), the.status(503));
    assert.equal((await place.export()).exit, 3);
    assert.equal(struck(), brief.retry!.retries + 1);
    sandbox.intercept(undefined);
    await place.completes();
  });

  test("that arrives too slowly is given up", async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    await using place = await makePlace(sandbox);
    const drip: the.Fault = (response) => {
      const more = (): void => {
        if (!response.destroyed) response.write("x", () => setTimeout(more, 10));
      };
      response.writeHead(200);
      more();
    };
    await failsAlone(place, sandbox, drip, "source-unavailable", impatient);
  });

  test("with more bytes than its Content-Length is cut there, as in HTTP, and affects no other", async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    await using place = await makePlace(sandbox);
    const index = indexWithFiles(sandbox);
    const bytes = Buffer.alloc(5_000, "x");
    the.strike(sandbox, the.filesOf(sandbox, index), (response) =>
      response.writeHead(200, { "Content-Length": 1_000 }).end(bytes),
    );
    const ended = await place.export();
    assert.deepEqual([ended.exit, ended.summary?.new], [0, 4]);
    const [stored] = (await place.work.stored()).get(await place.work.subject(sandbox.identity(index).id))!;
    for (const { key, size } of (await place.work.record(stored!)).files) {
      assert.equal(size, 1_000);
      assert.deepEqual(await place.work.unseal(key), bytes.subarray(0, 1_000));
    }
    sandbox.intercept(undefined);
    await place.completes();
  });

  test("that arrives byte by byte is kept completely", async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    await using place = await makePlace(sandbox);
    const index = indexWithFiles(sandbox);
    the.strike(sandbox, the.filesOf(sandbox, index), (response) => {
      let left = 2_000;
      const more = (): void => {
        if (left-- > 0) response.write("x", () => setImmediate(more));
        else response.end();
      };
      response.writeHead(200, { "Content-Length": 2_000 });
      more();
    });
    assert.equal((await place.export()).exit, 0);
    const [stored] = (await place.work.stored()).get(await place.work.subject(sandbox.identity(index).id))!;
    for (const { size } of (await place.work.record(stored!)).files) assert.equal(size, 2_000);
    sandbox.intercept(undefined);
    await place.completes();
  });
});
