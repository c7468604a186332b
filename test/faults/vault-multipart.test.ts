import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { s3Client } from "../servers/s3.ts";
import type { Fault } from "../servers/strict-s3/fault.ts";
import { type FaultPlace, makeStrictPlace } from "./place.ts";

/** Two parts. */
const VIDEO = 9 * 1024 * 1024;

function withVideo(sandbox: Sandbox): number {
  const has = (index: number) => sandbox.resources(index).some(({ type }) => type?.includes("VIDEO"));
  return sandbox.ids().filter((_, index) => has(index)).length;
}

async function unfinished(place: FaultPlace): Promise<number> {
  const { vault } = await place.work.client();
  assert.ok(vault.kind === "s3");
  const client = s3Client(vault.endpoint);
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: vault.bucket }));
  client.destroy();
  return Uploads.length;
}

const sizesOver = (objects: { size: number }[]) => objects.filter(({ size }) => size >= VIDEO);

const permanent = { status: 400, code: "QuotaExceeded" };
const steps: Readonly<Record<string, readonly Fault[]>> = {
  "at its beginning": [{ operation: "CreateMultipartUpload", fails: permanent }],
  "at every part": [{ operation: "UploadPart", fails: permanent }],
  "at every part, without answers": [{ operation: "UploadPart", fails: "lost-answer" }],
  "at its end": [{ operation: "CompleteMultipartUpload", fails: permanent }],
  "at its end, with an error in a 200": [
    { operation: "CompleteMultipartUpload", fails: { status: 200, code: "InternalError" } },
  ],
};

describe("a multipart upload that fails", { concurrency: 2 }, () => {
  for (const [name, faults] of Object.entries(steps)) {
    test(`${name}: no object, no record, no parts`, async () => {
      await using sandbox = await startSandbox({ identities: 3, plainImages: true, videoBytes: VIDEO });
      await using strict = await makeStrictPlace(sandbox);
      const { place, s3 } = strict;
      const big = withVideo(sandbox);
      s3.setFaults(faults);
      const ended = await place.export();
      assert.ok(big > 0);
      assert.deepEqual([ended.exit, ended.summary?.failed], [3, big]);
      assert.equal((await place.work.stored()).size, 3 - big);
      assert.equal(await unfinished(place), 0);
      assert.deepEqual(await Array.fromAsync((await place.work.vault()).list("files/")).then(sizesOver), []);
      s3.setFaults([]);
      await place.completes();
      assert.equal(await unfinished(place), 0);
    });
  }

  test("at part 2: no object, no record, no parts", async () => {
    await using sandbox = await startSandbox({ identities: 3, plainImages: true, videoBytes: VIDEO });
    await using strict = await makeStrictPlace(sandbox);
    const { place, s3 } = strict;
    s3.intercept((request, response) => {
      if (!request.url!.includes("partNumber=2")) return false;
      request.resume();
      response.writeHead(400).end("<Error><Code>QuotaExceeded</Code></Error>");
      return true;
    });
    const ended = await place.export();
    assert.deepEqual([ended.exit, ended.summary?.failed], [3, withVideo(sandbox)]);
    assert.equal(await unfinished(place), 0);
    assert.deepEqual(await Array.fromAsync((await place.work.vault()).list("files/")).then(sizesOver), []);
    s3.intercept(() => false);
    await place.completes();
  });

  test("once, at a part and at its end: it starts again, and the file is kept once", async () => {
    await using sandbox = await startSandbox({ identities: 2, plainImages: true, videoBytes: VIDEO });
    await using strict = await makeStrictPlace(sandbox);
    strict.s3.setFaults([
      { operation: "UploadPart", times: 1, fails: "reset" },
      { operation: "CompleteMultipartUpload", times: 1, fails: "lost-answer" },
      { operation: "CompleteMultipartUpload", times: 1, fails: { status: 200, code: "InternalError" } },
    ]);
    assert.equal((await strict.place.export()).exit, 0);
    assert.equal(await unfinished(strict.place), 0);
    strict.s3.setFaults([]);
    await strict.place.completes();
  });
});
