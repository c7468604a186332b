import assert from "node:assert/strict";
import { mkdir, readFile, rm } from "node:fs/promises";
import { test } from "node:test";
import { HoldfastError, hasCode, isTransient, ownError } from "../../src/core/error.ts";
import { exitCode, gravest } from "../../src/core/exit-code.ts";
import { closedBy } from "../../src/io/closing.ts";
import { errorText } from "../../src/observe/console.ts";
import { errorFields } from "../../src/observe/log.ts";
import type { Session } from "../../src/session/client.ts";
import { eachClient } from "../../src/session/each-client.ts";
import { openLog } from "../../src/session/open-log.ts";
import { type FaultPlace, makePlace } from "../faults/place.ts";
import { startSandbox } from "../sandbox/server.ts";

/** Whatever the closes throw of these, and the work, by name; and which closes were tried. */
async function thrown(
  closes: readonly (string | undefined)[],
  work?: string,
): Promise<{ error: unknown; told: string | undefined; tried: number[] }> {
  const tried: number[] = [];
  const run = async (): Promise<string> => {
    await using opened = new AsyncDisposableStack();
    for (const [at, error] of closes.entries()) {
      opened.defer(async () => {
        tried.push(at);
        if (error) throw new HoldfastError("state", error);
      });
    }
    await using _held = closedBy({}, opened.move());
    if (work) throw new HoldfastError("busy", work);
    return "done";
  };
  const error: unknown = await run().catch((error: unknown) => error);
  return { error, told: error === "done" ? "done" : errorFields(error).error, tried };
}

test("every close is tried, the last first, whatever the others throw", async () => {
  assert.deepEqual((await thrown(["a", "b", "c"])).tried, [2, 1, 0]);
  assert.deepEqual((await thrown(["a", "b", "c"], "work")).tried, [2, 1, 0]);
});

test("the first error is the one that is told: that of the work, else that of the first close that failed", async () => {
  assert.equal((await thrown([undefined, undefined])).told, "done");
  assert.equal((await thrown(["a", undefined, "c"])).told, "c");
  assert.equal((await thrown(["a", "b", "c"], "work")).told, "work");
  assert.equal((await thrown([undefined], "work")).told, "work");
});

test("whoever asks what an error is hears of the work's, whatever the closes threw after it", async () => {
  const { error } = await thrown(["a", "b", "c"], "work");
  assert.ok(hasCode(error, "busy") && !hasCode(error, "state"));
  assert.equal(exitCode(error), 5);
  assert.deepEqual(errorText(error), ["work"]);
  assert.equal(ownError(error)?.message, "work");
  assert.equal(gravest([new HoldfastError("interrupted", "told to stop"), error]), error);
  const outage = new HoldfastError("vault-unavailable", "down");
  assert.ok(isTransient(new SuppressedError(new Error("a close"), new SuppressedError(new Error("another"), outage))));
  assert.ok(!isTransient(new SuppressedError(outage, new Error("the work's"))));
});

test("a copy of what was opened does not close it", async () => {
  const { tried } = await (async () => {
    const tried: string[] = [];
    const closes = new AsyncDisposableStack();
    closes.defer(() => void tried.push("closed"));
    await using opened = closedBy({ name: "vault" }, closes);
    const copy = { ...opened };
    assert.deepEqual([copy.name, Symbol.asyncDispose in copy, Symbol.asyncDispose in opened], ["vault", false, true]);
    return { tried };
  })();
  assert.deepEqual(tried, ["closed"]);
});

/** A run in which the catalog cannot be closed. */
async function unclosed(session: Session, end: () => void): Promise<unknown> {
  return eachClient(session, async (config) => {
    await using held = await openLog(config, session, { job: "export" });
    const { catalog } = held;
    const close = catalog.close.bind(catalog);
    catalog.close = () => {
      close();
      throw new Error("the catalog was not closed");
    };
    end();
  });
}

async function isReleased(place: FaultPlace): Promise<void> {
  const lease = JSON.parse(await readFile(place.work.path("vault/acme-bank/lease.json"), "utf8"));
  assert.equal(lease.released, true);
  assert.equal((await place.export()).exit, 0);
}

test("a catalog that cannot be closed neither keeps the vault held nor hides what ended the run", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makePlace(sandbox);
  const run = unclosed(await place.session(), () => {
    throw new Error("the run's own");
  });
  await assert.rejects(run, /^Error: the run's own$/);
  await isReleased(place);
});

test("after a run that did its work, a catalog that cannot be closed fails it", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makePlace(sandbox);
  await assert.rejects(
    unclosed(await place.session(), () => {}),
    /^Error: the catalog was not closed$/,
  );
  await isReleased(place);
});

test("where the catalog cannot be opened, the vault that was held by then is given back", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makePlace(sandbox);
  const session = await place.session();
  const catalog = `${session.clients[0]!.state}/catalog.sqlite`;
  await mkdir(`${catalog}/in-the-way`, { recursive: true });
  assert.equal((await place.export()).exit, 1);
  await rm(catalog, { recursive: true });
  await isReleased(place);
});
