import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { startSandbox } from "../sandbox/server.ts";
import { freePort } from "../servers/ceph.ts";
import { brief, impatient, makePlace } from "./place.ts";
import * as the from "./requests.ts";

const faults: Readonly<Record<string, the.Fault>> = {
  "500": the.status(500),
  "503": the.status(503),
  "503 with Retry-After": the.status(503, { "Retry-After": "0" }),
  "429": the.status(429),
  "429 with Retry-After": the.status(429, { "Retry-After": "0" }),
  "429 with a Retry-After that is too long": the.status(429, { "Retry-After": "86400" }),
  "a connection reset": the.reset,
  "a stall in the headers": the.stall,
  "a stall in the body": the.stallInBody,
  "a body that ends before its Content-Length": the.endsEarly,
  "a body that stops before its Content-Length": the.saysTooMuch,
  "a chunked body that is cut": the.chunkedCut,
  "no HTTP": the.noHttp,
};
/** A busy machine must not count as a stall. */
const patienceFor = (fault: the.Fault) =>
  [the.stall, the.stallInBody, the.saysTooMuch].includes(fault) ? impatient : brief;

describe("the provider answers with errors", { concurrency: 4 }, () => {
  for (const [name, fault] of Object.entries(faults)) {
    test(name, async () => {
      await using sandbox = await startSandbox({ identities: 8, plainImages: true });
      await using place = await makePlace(sandbox);
      const withFiles = sandbox.ids().findIndex((_, i) => sandbox.resources(i).length > 0);
      const other = withFiles === 0 ? 1 : 0;

      // The list: nothing works without it.
      the.strike(sandbox, the.list, fault);
      const patience = patienceFor(fault);
      const unlisted = await place.export({ patience });
      assert.deepEqual([unlisted.exit, unlisted.code], [1, "source-unavailable"]);

      // One identity, and another's files: these fail, the rest succeeds.
      const one = the.identity(sandbox, other);
      const files = the.filesOf(sandbox, withFiles);
      the.strike(sandbox, (endpoint, path) => one(endpoint, path) || files(endpoint, path), fault);
      const partly = await place.export({ patience });
      assert.deepEqual([partly.exit, partly.summary?.failed, partly.summary?.new], [3, 2, 6]);
      const failed = await place.work.entries("record.failed");
      assert.deepEqual(new Set(failed.map(({ code }) => code)), new Set(["source-unavailable"]));

      sandbox.intercept(undefined);
      assert.equal((await place.completes()).new, 2);
    });
  }
});

describe("a temporary fault is not a failure", { concurrency: 4 }, () => {
  for (const [name, fault] of Object.entries(faults)) {
    if (name.includes("too long")) continue;
    test(name, async () => {
      await using sandbox = await startSandbox({ identities: 4, files: false });
      await using place = await makePlace(sandbox);
      const struck = the.strike(sandbox, the.everywhere, fault, { from: 3, times: 2 });
      const ended = await place.export({ patience: patienceFor(fault) });
      assert.deepEqual([ended.exit, ended.summary?.new, struck()], [0, 4, 2]);
      assert.ok(ended.summary!.retries >= 2);
      sandbox.intercept(undefined);
      await place.isWhole(4);
    });
  }
});

for (const [name, headers] of Object.entries({
  "compressed without being asked to": { "content-encoding": "gzip" },
  partial: { "content-range": "bytes 0-1/4096" },
})) {
  test(`answers that are ${name}: refused, and not kept as the provider's bytes`, async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    await using place = await makePlace(sandbox);
    const asked: unknown[] = [];
    the.strike(
      sandbox,
      (endpoint) => endpoint === "file",
      (response, _sample, request) => {
        asked.push(request.headers["accept-encoding"]);
        response.writeHead(200, { "content-type": "image/png", ...headers }).end(gzipSync("an image"));
      },
    );
    const ended = await place.export();
    assert.equal(ended.exit, 3);
    assert.ok(asked.length > 0 && asked.every((encoding) => encoding === "identity"));
    const codes = (await place.work.entries("record.failed")).map(({ code }) => code);
    assert.ok(codes.length > 0 && codes.every((code) => code === "source-response"), String(codes));
    sandbox.intercept(undefined);
    await place.completes();
  });
}

test("a refused connection", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makePlace(sandbox);
  await place.work.configure({ source: { url: `http://127.0.0.1:${await freePort()}/verification/v2` } });
  const ended = await place.export();
  assert.deepEqual([ended.exit, ended.code], [1, "source-unavailable"]);
  await place.work.configure({ source: { url: sandbox.url } });
  await place.completes();
});

test("a provider that fails for every identity ends the run early", async () => {
  await using sandbox = await startSandbox({ identities: 80, files: false });
  await using place = await makePlace(sandbox);
  the.strike(sandbox, (endpoint) => endpoint === "identity", the.status(503));
  const ended = await place.export();
  assert.deepEqual([ended.exit, ended.code], [1, "source-unavailable"]);
  assert.ok((await place.work.entries("record.failed")).length < 40);
  sandbox.intercept(undefined);
  await place.completes();
});
