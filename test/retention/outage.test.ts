import assert from "node:assert/strict";
import { test } from "node:test";
import { placeHold } from "../../jobs/hold.ts";
import { purge } from "../../jobs/purge.ts";
import { extendAll } from "../../jobs/retention.ts";
import { systemClock } from "../../src/core/clock.ts";
import { hasCode } from "../../src/core/error.ts";
import { calm, makeStrictPlace } from "../faults/place.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

const PEOPLE = 120;
const DOWN = { status: 503, code: "ServiceUnavailable" } as const;
const NO_ONE = { identities: [], emails: [], references: [], subjects: [] };

test("extension: a vault that is down gets only a few requests; locks set before are logged", async () => {
  await using sandbox = await startSandbox({ identities: PEOPLE, files: false });
  await using opened = await makeStrictPlace(sandbox);
  const { place, s3 } = opened;
  await place.work.configure({ retention: { initialLock: "P30D", extendWhenLessThan: "P10D" } });
  assert.equal((await place.export({ patience: calm })).exit, 0);
  await place.work.configure({ retention: { initialLock: "P90D", extendWhenLessThan: "P40D" } });
  s3.forget();
  s3.setFaults([{ operation: "PutObjectRetention", fails: DOWN }]);
  await assert.rejects(extendAll(await place.session()), (error: Error) => {
    assert.ok(hasCode(error, "vault-unavailable"), String(error));
    assert.match(error.message, /^stopped after 10 failures in a row/);
    return true;
  });
  const asked = s3.requests.PutObjectRetention ?? 0;
  // Ten failures plus those in flight beside them, each tried three times.
  assert.ok(asked > 0 && asked <= 3 * (10 + 16), `${asked} requests`);
  s3.setFaults([]);
  const [locks] = await extendAll(await place.session());
  assert.deepEqual([locks!.subjects, locks!.failed], [PEOPLE, 0]);
});

test("extension: single objects that are refused do not stop the others", async () => {
  await using sandbox = await startSandbox({ identities: 40, files: false });
  await using opened = await makeStrictPlace(sandbox);
  const { place, s3 } = opened;
  await place.work.configure({ retention: { initialLock: "P30D", extendWhenLessThan: "P10D" } });
  assert.equal((await place.export({ patience: calm })).exit, 0);
  await place.work.configure({ retention: { initialLock: "P90D", extendWhenLessThan: "P40D" } });
  s3.setFaults([{ operation: "PutObjectRetention", times: 25, fails: { status: 404, code: "NoSuchKey" } }]);
  const [locks] = await extendAll(await place.session());
  assert.deepEqual([locks!.failed, locks!.subjects], [25, 15]);
});

const SHORT = { keep: "PT1H", from: "exported", initialLock: "PT1H", extendWhenLessThan: "PT30M" };

/** A vault in which everything was exported, and its retention and locks have ended: two hours have passed. */
async function ended(sandbox: Sandbox) {
  let hours = 0;
  const opened = await makeStrictPlace(sandbox, { now: () => Date.now() + hours * 3_600_000 });
  const { place } = opened;
  await place.work.configure({ retention: SHORT });
  assert.equal((await place.export({ patience: calm })).exit, 0);
  hours = 2;
  const session = () => place.session({ now: () => systemClock().add({ hours }) });
  return { ...opened, session };
}

test("purge: a vault that is down gets only a few requests, and the next purge completes it", async () => {
  await using sandbox = await startSandbox({ identities: 40, files: false });
  await using opened = await ended(sandbox);
  const { place, s3, session } = opened;
  s3.forget();
  s3.setFaults([{ operation: "DeleteObject", fails: DOWN }]);
  await assert.rejects(purge(await session(), place.work.path("down")), (error) => hasCode(error, "vault-unavailable"));
  const asked = s3.requests.DeleteObject ?? 0;
  assert.ok(asked > 0 && asked <= 3 * 11, `${asked} requests`);
  s3.setFaults([]);
  const done = await purge(await session(), place.work.path("destroyed"));
  assert.deepEqual([done.subjects, done.failed], [40, 0]);
});

test("purge: one person whose objects cannot be deleted, for any reason, does not stop the others", async () => {
  for (const fails of [
    { status: 400, code: "InvalidRequest" },
    { status: 403, code: "AccessDenied" },
    { status: 503, code: "SlowDown" },
  ]) {
    await using sandbox = await startSandbox({ identities: 4, files: false });
    await using opened = await ended(sandbox);
    const { place, s3, session } = opened;
    s3.setFaults([{ operation: "DeleteObject", times: fails.status === 503 ? 3 : 1, fails }]);
    const done = await purge(await session(), place.work.path("one"));
    assert.deepEqual([done.subjects, done.failed], [3, 1], fails.code);
    const rest = await purge(await session(), place.work.path("two"));
    assert.deepEqual([rest.subjects, rest.failed], [1, 0], fails.code);
  }
});

test("a hold that cannot be placed on new objects does not prevent the extension of locks", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using opened = await makeStrictPlace(sandbox);
  const { place, s3 } = opened;
  const { work } = place;
  await work.configure({ retention: { initialLock: "P30D", extendWhenLessThan: "P10D" } });
  assert.equal((await place.export({ patience: calm })).exit, 0);
  const subjects = [await work.subject(sandbox.ids()[0]!)];
  await placeHold(await place.session(), { ...NO_ONE, subjects, case: "1", reason: "r" });
  sandbox.change([0]);
  s3.setFaults([{ operation: "PutObjectLegalHold", fails: { status: 403, code: "AccessDenied" } }]);
  assert.equal((await place.export({ patience: calm })).exit, 3);
  await work.configure({ retention: { initialLock: "P90D", extendWhenLessThan: "P40D" } });
  const [locks] = await extendAll(await place.session());
  assert.deepEqual([locks!.subjects, locks!.failed], [3, 1]);
});
