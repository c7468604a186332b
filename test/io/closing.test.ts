import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { closing } from "../../src/io/closing.ts";
import { withLog } from "../../src/session/open-log.ts";
import { makePlace } from "../faults/place.ts";
import { startSandbox } from "../sandbox/server.ts";

/** What is thrown where these closes, and the work itself, throw what is named; and which closes were tried. */
async function thrown(
  closes: readonly (string | undefined)[],
  work?: string,
): Promise<{ error: string; tried: number[] }> {
  const tried: number[] = [];
  const run = closing(async (opened) => {
    for (const [at, error] of closes.entries()) {
      opened.defer(async () => {
        tried.push(at);
        if (error) throw new Error(error);
      });
    }
    if (work) throw new Error(work);
    return "done";
  });
  return { error: await run.catch(({ message }: Error) => message), tried };
}

test("every close is tried, the last first, whatever the others throw", async () => {
  assert.deepEqual((await thrown(["a", "b", "c"])).tried, [2, 1, 0]);
  assert.deepEqual((await thrown(["a", "b", "c"], "work")).tried, [2, 1, 0]);
});

test("the first error is the one that is thrown: that of the work, else that of the first close that failed", async () => {
  assert.equal((await thrown([undefined, undefined])).error, "done");
  assert.equal((await thrown(["a", undefined, "c"])).error, "c");
  assert.equal((await thrown(["a", "b", "c"], "work")).error, "work");
  assert.equal((await thrown([undefined], "work")).error, "work");
});

test("a catalog that cannot be closed neither keeps the vault held nor hides what ended the run", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makePlace(sandbox);
  const session = await place.session();
  const run = withLog(session.clients[0]!, session, { job: "export" }, async ({ catalog }) => {
    const close = catalog.close.bind(catalog);
    catalog.close = () => {
      close();
      throw new Error("the catalog was not closed");
    };
    throw new Error("the run's own");
  });
  await assert.rejects(run, /the run's own/);
  const lease = JSON.parse(await readFile(place.work.path("vault/acme-bank/lease.json"), "utf8"));
  assert.equal(lease.released, true);
  assert.equal((await place.export()).exit, 0);
});
