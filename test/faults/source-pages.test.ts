import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { makePlace } from "./place.ts";

interface Page {
  /** Indexes of the identities on it. */
  readonly data: readonly number[];
  readonly next: string | null;
}

/** Makes the list answer with these pages. Gives the number of requests. */
function listAs(sandbox: Sandbox, page: (cursor: string | null, count: number) => Page): () => number {
  let count = 0;
  sandbox.intercept((request, response) => {
    const url = new URL(request.url!, "http://sandbox");
    if (!url.pathname.endsWith("/identities")) return false;
    const { data, next } = page(url.searchParams.get("cursor"), ++count);
    const texts = data.map((index) => sandbox.text(index));
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(`{"cursor":${JSON.stringify({ next })},"data":[${texts.join(",")}]}`);
    return true;
  });
  return () => count;
}

const endless: Readonly<Record<string, (cursor: string | null, count: number) => Page>> = {
  "a cursor that repeats forever": (_, count) => ({ data: count === 1 ? [0, 1] : [2, 3], next: "again" }),
  "two alternating cursors": (cursor) => ({ data: [0, 1], next: cursor === "a" ? "b" : "a" }),
  "always new cursors without identities": (_, count) => ({ data: count === 1 ? [0, 1] : [], next: `page ${count}` }),
  "always new cursors with the same page": (_, count) => ({ data: [0, 1], next: `page ${count}` }),
  "always new cursors with alternating pages": (_, count) => ({ data: [count % 4], next: `page ${count}` }),
};

describe("an endless list", { concurrency: 3 }, () => {
  for (const [name, page] of Object.entries(endless)) {
    test(name, async () => {
      await using sandbox = await startSandbox({ identities: 4, files: false });
      await using place = await makePlace(sandbox);
      const pages = listAs(sandbox, page);
      const ended = await place.export();
      assert.deepEqual([ended.exit, ended.code], [1, "source-response"]);
      assert.ok(pages() <= 110, `${pages()} pages`);
      // What was listed before the fault is kept.
      assert.ok((await place.work.stored()).size >= 2);
      sandbox.intercept(undefined);
      await place.completes();
    });
  }
});

test("an identity's resources with the same cursor, or always new ones: only this identity fails", async () => {
  for (const cursor of [() => "again", (count: number) => `page ${count}`]) {
    await using sandbox = await startSandbox({ identities: 3, files: false });
    await using place = await makePlace(sandbox);
    const { id } = sandbox.identity(1);
    let count = 0;
    sandbox.intercept((request, response) => {
      if (!request.url!.includes(`/identity/${id}/resources`)) return false;
      const next = cursor(++count);
      response.writeHead(200).end(JSON.stringify({ cursor: { next }, data: sandbox.resources(1) }));
      return true;
    });
    const ended = await place.export();
    assert.deepEqual([ended.exit, ended.summary?.failed, ended.summary?.new], [3, 1, 2]);
    sandbox.intercept(undefined);
    await place.completes();
  }
});

test("a few empty or repeated pages do not stop the run", async () => {
  await using sandbox = await startSandbox({ identities: 4, files: false });
  await using place = await makePlace(sandbox);
  listAs(sandbox, (_, count) => {
    if (count % 10 !== 0) return { data: count < 15 ? [] : [0], next: `page ${count}` };
    return { data: [count / 10 - 1], next: count === 40 ? null : `page ${count}` };
  });
  assert.equal((await place.export()).exit, 0);
  sandbox.intercept(undefined);
  await place.isWhole(4);
});

test("an identity added at the front while reading pages: another one appears twice and is kept once", async () => {
  await using sandbox = await startSandbox({ identities: 6, files: false });
  await using place = await makePlace(sandbox);
  // 5 is new, and this walk does not see it. 2 is on both pages.
  listAs(sandbox, (cursor) => (cursor ? { data: [2, 3, 4], next: null } : { data: [0, 1, 2], next: "second" }));
  const ended = await place.export();
  assert.deepEqual([ended.exit, ended.summary?.new], [0, 5]);
  sandbox.intercept(undefined);
  assert.equal((await place.completes()).new, 1);
});

test("an identity removed at the front while reading pages: another one is missed, does not count as gone, and the next run finds it", async () => {
  await using sandbox = await startSandbox({ identities: 6, files: false });
  await using place = await makePlace(sandbox);
  const shifted = (cursor: string | null): Page =>
    cursor ? { data: [4, 5], next: null } : { data: [0, 1, 2], next: "second" };
  listAs(sandbox, shifted);
  const first = await place.export();
  assert.deepEqual([first.exit, first.summary?.new], [0, 5]);
  sandbox.intercept(undefined);
  assert.equal((await place.completes()).new, 1);

  // Now it is known. Missing it once does not make it gone, nor does missing it twice with a hit in between.
  for (let night = 0; night < 2; night++) {
    listAs(sandbox, shifted);
    const missed = await place.export();
    assert.deepEqual([missed.exit, missed.summary?.gone], [0, 0]);
    sandbox.intercept(undefined);
    await place.completes();
  }
  assert.deepEqual(await place.work.entries("record.gone"), []);
});
