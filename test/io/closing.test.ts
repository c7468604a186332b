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
import { entry } from "../audit/desk.ts";
import { type FaultPlace, makePlace } from "../faults/place.ts";
import { startSandbox } from "../sandbox/server.ts";

/** Runs work and closes that throw the named errors. Gives what was thrown, and which closes were tried. */
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

test("every close is tried in reverse order, whatever the others throw", async () => {
  assert.deepEqual((await thrown(["a", "b", "c"])).tried, [2, 1, 0]);
  assert.deepEqual((await thrown(["a", "b", "c"], "work")).tried, [2, 1, 0]);
});

test("the first error is reported: the work's, otherwise the first failed close's", async () => {
  assert.equal((await thrown([undefined, undefined])).told, "done");
  assert.equal((await thrown(["a", undefined, "c"])).told, "c");
  assert.equal((await thrown(["a", "b", "c"], "work")).told, "work");
  assert.equal((await thrown([undefined], "work")).told, "work");
});

test("the error code is that of the work, whatever the closes threw later", async () => {
  const { error } = await thrown(["a", "b", "c"], "work");
  assert.ok(hasCode(error, "busy") && !hasCode(error, "state"));
  assert.equal(exitCode(error), 5);
  assert.deepEqual(errorText(error), ["work"]);
  assert.equal(ownError(error)?.message, "work");
  assert.equal(gravest([new HoldfastError("interrupted", "asked to stop"), error]), error);
  const outage = new HoldfastError("vault-unavailable", "down");
  assert.ok(isTransient(new SuppressedError(new Error("a close"), new SuppressedError(new Error("another"), outage))));
  assert.ok(!isTransient(new SuppressedError(outage, new Error("the work's"))));
});

test("a copy does not close what was opened", async () => {
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

/** A run whose catalog fails to close. */
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

test("a catalog that fails to close neither keeps the lease nor hides the run's error", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makePlace(sandbox);
  const run = unclosed(await place.session(), () => {
    throw new Error("the run's own");
  });
  await assert.rejects(run, /^Error: the run's own$/);
  await isReleased(place);
});

test("a catalog that fails to close makes a successful run fail", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makePlace(sandbox);
  await assert.rejects(
    unclosed(await place.session(), () => {}),
    /^Error: the catalog was not closed$/,
  );
  await isReleased(place);
});

test("if the catalog cannot be opened, the lease is released", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makePlace(sandbox);
  const session = await place.session();
  const catalog = `${session.clients[0]!.state}/catalog.sqlite`;
  await mkdir(`${catalog}/in-the-way`, { recursive: true });
  assert.equal((await place.export()).exit, 1);
  await rm(catalog, { recursive: true });
  await isReleased(place);
});

test("a run that ends in the middle of writing a batch of the log still writes it", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makePlace(sandbox);
  const session = await place.session();
  await eachClient(session, async (config) => {
    await using held = await openLog(config, session, { job: "export" });
    // A full batch, which is written in the background.
    await Promise.all(Array.from({ length: 1_024 }, (_, at) => held.writer.append(entry(at))));
    assert.equal(held.writer.head.size, 0);
  });
  const [, size] = (await readFile(place.work.path("vault/acme-bank/audit/checkpoint"), "utf8")).split("\n");
  assert.equal(size, "1024");
});
