import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startSandbox } from "../sandbox/server.ts";
import { makePlace } from "./place.ts";
import * as the from "./requests.ts";

test("an API key that expires during a run stops it at once, and its work is logged", async () => {
  for (const from of [1, 3, 20, 50]) {
    await using sandbox = await startSandbox({ identities: 40, files: false });
    await using place = await makePlace(sandbox);
    const refused = the.strike(sandbox, the.everywhere, the.status(401), { from });
    const ended = await place.export();
    assert.deepEqual([ended.exit, ended.code], [1, "source-key"]);
    // The requests in flight and one about the project, no more.
    assert.ok(refused() <= 17, `${refused()} requests with a refused key`);
    const finished = await place.work.entries("run.finished");
    assert.deepEqual(
      finished.map(({ outcome, counts }) => [outcome, counts.new]),
      [["failed", (await place.work.stored()).size]],
    );
    assert.deepEqual(await place.work.entries("record.failed"), []);
    await place.isWhole();
    sandbox.intercept(undefined);
    await place.completes();
  }
});

describe("403", () => {
  for (const [name, where] of Object.entries<the.Where>({
    everything: the.everywhere,
    "the list": the.list,
    "every identity": (endpoint) => endpoint === "identity",
    "all resources": (endpoint) => endpoint === "resources",
  })) {
    test(`on ${name} ends the run with a message`, async () => {
      await using sandbox = await startSandbox({ identities: 50, files: false });
      await using place = await makePlace(sandbox);
      the.strike(sandbox, where, the.status(403));
      const ended = await place.export();
      assert.deepEqual([ended.exit, ended.code], [1, "source-denied"]);
      sandbox.intercept(undefined);
      await place.completes();
    });
  }

  test("on every file: the records are kept and list the withheld files", async () => {
    await using sandbox = await startSandbox({ identities: 5, plainImages: true });
    await using place = await makePlace(sandbox);
    the.strike(sandbox, (endpoint) => endpoint === "file", the.status(403));
    const ended = await place.export();
    assert.deepEqual([ended.exit, ended.summary?.new, ended.summary?.files], [0, 5, 0]);
    assert.ok(ended.summary!.withheld > 0);
    sandbox.intercept(undefined);
    await place.isWhole(5);
  });
});

test("an identity that is listed and not found is a failure until it answers, and not gone", async () => {
  await using sandbox = await startSandbox({ identities: 5, files: false });
  await using place = await makePlace(sandbox);
  const missing = the.identity(sandbox, 2);
  const { id } = sandbox.identity(3);
  let isLateGone = false;
  // One is gone when it is requested, the other when its resources are requested.
  the.strike(
    sandbox,
    (endpoint, path) => {
      if (endpoint === "resources" && path.includes(id)) isLateGone = true;
      return missing(endpoint, path) || (isLateGone && path.includes(id));
    },
    the.status(404),
  );
  const ended = await place.export();
  assert.deepEqual([ended.exit, ended.summary?.new, ended.summary?.gone, ended.summary?.failed], [3, 3, 0, 2]);
  assert.deepEqual(
    (await place.work.entries("record.failed")).map(({ code }) => code),
    Array(2).fill("source-missing"),
  );
  assert.deepEqual(await place.work.entries("record.gone"), []);
  await place.isWhole(3);
  sandbox.intercept(undefined);
  assert.equal((await place.completes()).new, 2);
});

test("an identity whose resources are not found still exists: a failure, not gone", async () => {
  await using sandbox = await startSandbox({ identities: 5, files: false });
  await using place = await makePlace(sandbox);
  const { id } = sandbox.identity(3);
  the.strike(sandbox, (endpoint, path) => endpoint === "resources" && path.includes(id), the.status(404));
  const ended = await place.export();
  assert.deepEqual([ended.exit, ended.summary?.new, ended.summary?.gone, ended.summary?.failed], [3, 4, 0, 1]);
  assert.deepEqual(await place.work.entries("record.gone"), []);
  assert.deepEqual(
    (await place.work.entries("record.failed")).map(({ code }) => code),
    ["source-response"],
  );
  sandbox.intercept(undefined);
  assert.equal((await place.completes()).new, 1);
});

test("a file deleted between listing and fetch: the record is kept and lists it as missing", async () => {
  await using sandbox = await startSandbox({ identities: 4, plainImages: true });
  await using place = await makePlace(sandbox);
  const index = sandbox.ids().findIndex((_, i) => sandbox.resources(i).length > 0);
  const missing = the.filesOf(sandbox, index);
  the.strike(sandbox, missing, the.status(404), { times: 1 });
  const ended = await place.export();
  assert.deepEqual([ended.exit, ended.summary?.new, ended.summary?.withheld], [0, 4, 1]);
  const [stored] = (await place.work.stored()).get(await place.work.subject(sandbox.identity(index).id))!;
  assert.deepEqual(
    (await place.work.record(stored!)).withheld.map(({ reason }) => reason),
    ["missing"],
  );
  sandbox.intercept(undefined);
  await place.completes();
});
