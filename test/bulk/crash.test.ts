import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { middleOfEach, namesIn } from "../crash/moments.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { cephEndpoint, lockedBucket, withoutCeph } from "../servers/s3.ts";
import { indexIn, linesOf, runCommand, setRetention, type Task, writeReport } from "./batch-operations.ts";
import { FAST, FIRST, LONGER, retainedUntil, SLOW } from "./scene.ts";

const HOOK = join(import.meta.dirname, "../crash/hook.ts");
const PEOPLE = 3;

/** A workplace whose jobs are done, and the command that reads their report. Each has a bucket of its own. */
async function ready(): Promise<{ place: Workplace; args: string[]; objects: number } & AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  await using sandbox = await startSandbox({ identities: PEOPLE, plainImages: true });
  const url = `s3://${await lockedBucket()}/acme-bank`;
  const vault = { url, endpoint: cephEndpoint, forcePathStyle: true };
  const place = opened.use(await makeWorkplace(sandbox, { client: { retention: FIRST, vault } }));
  await place.export();
  await place.configure({ retention: LONGER, vault: SLOW });
  const folder = place.path("bulk");
  assert.equal((await place.here("retention", ["extend", "--manifest", folder])).code, 0);
  const [manifest] = (await indexIn(folder)).manifests;
  const tasks = (await linesOf(folder, manifest!)).map((line): Task => ({ line }));
  await setRetention(tasks, await runCommand(folder, manifest!));
  const report = await writeReport(place.path("reports"), tasks);
  await place.configure({ vault: FAST });
  const args = ["extend", "--manifest", folder, "--completed", report];
  const owned = opened.move();
  return { place, args, objects: tasks.length, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

describe("killed at every kind of write", { skip: withoutCeph }, () => {
  test("while a report is read into the log: the log promises only locks that are there; the same command completes it", async () => {
    await using traced = await ready();
    const trace = traced.place.path("moments");
    const node = ["--import", HOOK];
    const whole = await traced.place.holdfast("retention", traced.args, { node, env: { HOLDFAST_CRASH_TRACE: trace } });
    assert.equal(whole.code, 0, whole.stderr);
    const chosen = middleOfEach(namesIn(await readFile(trace, "utf8")));
    assert.ok(chosen.length > 8, `${chosen.length}`);
    for (const { what, env } of chosen) {
      await using made = await ready();
      const { place, args, objects } = made;
      const ended = await place.holdfast("retention", args, { node, env });
      assert.equal(ended.signal, "SIGKILL", `${what}: ${ended.stderr}`);
      for (const { lockedUntil, objects } of await place.entries("lock.extended"))
        for (const { key, versionId } of objects)
          assert.equal(await retainedUntil(place, key, versionId), lockedUntil, `${what}: ${key}`);
      assert.equal((await place.here("retention", args)).code, 0, what);
      const logged = (await place.entries("lock.extended")).flatMap((entry) => entry.objects.map(({ key }) => key));
      assert.deepEqual([logged.length, new Set(logged).size], [objects, objects], what);
      assert.equal((await place.expect<{ objects: number }>(0, "retention", "extend"))[0]!.objects, 0, what);
      assert.equal((await place.expect<{ problems: number }>(0, "verify"))[0]!.problems, 0, what);
    }
  });

  test("while manifests are written: the folder is whole or not there, and the next attempt writes it", async () => {
    await using made = await ready();
    const { place } = made;
    await place.configure({ retention: { initialLock: "PT4H", extendWhenLessThan: "PT3H" }, vault: SLOW });
    const node = ["--import", HOOK];
    const trace = place.path("moments");
    const args = (name: string) => ["extend", "--manifest", place.path(name)];
    const whole = await place.holdfast("retention", args("whole"), { node, env: { HOLDFAST_CRASH_TRACE: trace } });
    assert.equal(whole.code, 0, whole.stderr);
    const files = (await readdir(place.path("whole"))).length;
    const names = namesIn(await readFile(trace, "utf8"));
    assert.ok(names.some((name) => name.includes("rename")));
    for (const [at, { what, env }] of middleOfEach(names).entries()) {
      const name = `bulk-${at}`;
      const ended = await place.holdfast("retention", args(name), { node, env });
      assert.equal(ended.signal, "SIGKILL", what);
      if (existsSync(place.path(name))) assert.equal((await readdir(place.path(name))).length, files, what);
      else assert.equal((await place.here("retention", args(name))).code, 0, what);
      assert.equal((await indexIn(place.path(name))).manifests.length, 1, what);
    }
  });

  test("asked to stop while it asks the store: nothing is logged, and the same command does all", async () => {
    await using made = await ready();
    const { place, args, objects } = made;
    await place.configure({ vault: { lockRate: "2/h" } });
    const run = place.start("retention", args);
    const isHeld = async (): Promise<boolean> => {
      const vault = await place.vault();
      const { bytes } = await vault.read("lease.json", 10_000);
      await vault.close();
      return (JSON.parse(Buffer.from(bytes).toString("utf8")) as { released?: true }).released !== true;
    };
    while (!(await isHeld()));
    run.kill("SIGTERM");
    const ended = await run.ended;
    assert.equal(ended.code, 130, ended.stderr);
    assert.deepEqual(await place.entries("lock.extended"), []);
    await place.configure({ vault: FAST });
    assert.equal((await place.here("retention", args)).code, 0);
    const logged = (await place.entries("lock.extended")).flatMap((entry) => entry.objects);
    assert.equal(logged.length, objects);
  });
});
