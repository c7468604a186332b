import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HoldfastError } from "../../src/core/error.ts";
import { startSandbox } from "../sandbox/server.ts";
import { freePort } from "../servers/ceph.ts";
import type { Failure } from "../servers/strict-s3/fault.ts";
import { brief, impatient, later, makeStrictPlace } from "./place.ts";

const passing: Readonly<Record<string, Failure>> = {
  "500": { status: 500, code: "InternalError" },
  "503 SlowDown": { status: 503, code: "SlowDown" },
  "503 with Retry-After": { status: 503, code: "SlowDown", headers: { "retry-after": "0" } },
  "429": { status: 429, code: "TooManyRequests" },
  "409": { status: 409, code: "ConditionalRequestConflict" },
  "507": { status: 507, code: "InsufficientCapacity" },
  "a reset": "reset",
  "a lost answer": "lost-answer",
  "a stall": "stall",
  "a stalled body": "stalled-body",
  "a cut body": "cut-body",
};

/** A busy machine must not count as a stall. */
const patienceFor = (fails: Failure) => (fails === "stall" || fails === "stalled-body" ? impatient : brief);

describe("a store that fails sometimes fails no record", { concurrency: 4 }, () => {
  for (const [name, fails] of Object.entries(passing)) {
    test(name, async () => {
      await using sandbox = await startSandbox({ identities: 5, plainImages: true });
      await using strict = await makeStrictPlace(sandbox);
      const { place, s3 } = strict;
      const faults = (["GetObject", "ListObjectVersions", "PutObject"] as const).map((operation) => ({
        ...{ operation, times: 2, fails },
      }));
      s3.setFaults(faults);
      const ended = await place.export({ patience: patienceFor(fails) });
      assert.deepEqual([ended.exit, ended.summary?.new], [0, 5]);
      s3.setFaults([]);
      await place.isWhole(5);
    });
  }
});

describe("a store that fails permanently", { concurrency: 4 }, () => {
  const lasting: Readonly<Record<string, readonly [Failure, string]>> = {
    "500": [passing["500"]!, "vault-unavailable"],
    "503 SlowDown": [passing["503 SlowDown"]!, "vault-unavailable"],
    "a Retry-After that is too long": [
      { status: 503, code: "SlowDown", headers: { "retry-after": "86400" } },
      "vault-unavailable",
    ],
    "429": [passing["429"]!, "vault-unavailable"],
    "a reset": ["reset", "vault-unavailable"],
    "a bucket that hangs": ["stall", "vault-unavailable"],
    "507, a full bucket": [passing["507"]!, "vault-unavailable"],
    "400 QuotaExceeded, a full bucket": [{ status: 400, code: "QuotaExceeded" }, "vault-rejected"],
    "403 AccessDenied": [{ status: 403, code: "AccessDenied" }, "vault-denied"],
    "400 ExpiredToken": [{ status: 400, code: "ExpiredToken" }, "vault-denied"],
    "404 NoSuchBucket": [{ status: 404, code: "NoSuchBucket" }, "vault-missing"],
  };
  for (const [name, [fails, code]] of Object.entries(lasting)) {
    test(`${name}: from the start, and during a run`, async () => {
      await using sandbox = await startSandbox({ identities: 40, files: false });
      await using strict = await makeStrictPlace(sandbox);
      const { place, s3 } = strict;
      s3.setFaults([{ fails }]);
      const patience = patienceFor(fails);
      const atOnce = await place.export({ patience });
      assert.deepEqual([atOnce.exit, atOnce.code], [1, code]);

      // During a run: some records are stored already.
      const free = 12;
      let puts = 0;
      let broken = false;
      s3.setFaults([]);
      s3.intercept((request) => {
        if (request.method === "PUT") puts += 1;
        if (puts > free && !broken) {
          broken = true;
          s3.setFaults([{ fails }]);
        }
        return false;
      });
      const midway = await place.export({ now: later, patience });
      assert.deepEqual([midway.exit, midway.code], [1, code]);

      s3.intercept(() => false);
      s3.setFaults([]);
      await place.completes(40, () => later().add({ minutes: 20 }));
    });
  }
});

test("a refused connection", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using strict = await makeStrictPlace(sandbox);
  const { place, s3 } = strict;
  await place.work.configure({ vault: { endpoint: `http://127.0.0.1:${await freePort()}` } });
  const ended = await place.export();
  assert.deepEqual([ended.exit, ended.code], [1, "vault-unavailable"]);
  await place.work.configure({ vault: { endpoint: s3.endpoint } });
  await place.completes();
});

test("a missing bucket", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using strict = await makeStrictPlace(sandbox);
  await strict.place.work.configure({ vault: { url: "s3://no-such-bucket/acme" } });
  const ended = await strict.place.export();
  assert.deepEqual([ended.exit, ended.code], [1, "vault-missing"]);
});

test("an interrupted run ends even if the bucket hangs", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using strict = await makeStrictPlace(sandbox);
  const { place, s3 } = strict;
  const stop = new AbortController();
  s3.intercept(() => {
    stop.abort(new HoldfastError("interrupted", "interrupted"));
    return true;
  });
  const ended = await place.export({ signal: stop.signal });
  assert.ok(ended.exit === 130 || ended.exit === 1, `${ended.exit}`);
  s3.intercept(() => false);
  await place.completes();
});

test("an object that the store refuses fails only its record", async () => {
  await using sandbox = await startSandbox({ identities: 6, files: false });
  await using strict = await makeStrictPlace(sandbox);
  const { place, s3 } = strict;
  const subject = await place.work.subject(sandbox.identity(2).id);
  s3.intercept((request, response) => {
    if (!request.url!.includes(`/records/${subject.slice(0, 2)}/${subject}/`)) return false;
    request.resume();
    response.writeHead(400).end("<Error><Code>QuotaExceeded</Code></Error>");
    return true;
  });
  const ended = await place.export();
  assert.deepEqual([ended.exit, ended.summary?.failed, ended.summary?.new], [3, 1, 5]);
  s3.intercept(() => false);
  assert.equal((await place.completes()).new, 1);
});
