import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { systemClock } from "../../src/core/clock.ts";
import { makeWorkplace, type Section } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { lockedBucket, withoutCeph } from "../servers/s3.ts";
import { startStrictS3 } from "../servers/strict-s3.ts";
import { indexIn, linesOf } from "./batch-operations.ts";
import { FAST, FIRST, LONGER, makeScene, versionsIn } from "./scene.ts";

interface Plan {
  readonly objects: number;
  readonly subjects: number;
  readonly puts: number;
  readonly gets: number;
  readonly seconds: number;
  readonly cost: number | null;
  readonly bulk: null | { [name: string]: unknown };
}

async function planOf(place: Awaited<ReturnType<typeof makeWorkplace>>, ...args: string[]): Promise<Plan> {
  const ended = await place.here("retention", ["extend", "--plan", ...args, "--json"]);
  assert.equal(ended.code, 0, ended.stderr + ended.stdout);
  return (ended.json as { plan: Plan[] }).plan[0]!;
}

test("--plan counts what is due, its time at the rate and its price; it asks no store and needs no lease", async () => {
  await using sandbox = await startSandbox({ identities: 3, plainImages: true });
  const server = await startStrictS3();
  const url = `s3://${await lockedBucket(server.endpoint)}/acme-bank`;
  await using place = await makeWorkplace(sandbox, {
    client: { retention: FIRST, vault: { url, endpoint: server.endpoint, forcePathStyle: true } },
  });
  await place.export();
  const stored = await place.entries("record.stored");
  const objects = stored.length + stored.flatMap(({ files }) => files).length;
  await place.configure({ retention: LONGER, vault: { lockRate: "6/min" } });
  await server.close();
  const plan = await planOf(place, "--put-price", "5");
  assert.deepEqual([plan.objects, plan.subjects, plan.puts, plan.gets], [objects, 3, objects, 0]);
  assert.equal(plan.seconds, objects * 10);
  assert.equal(plan.cost, (objects * 5) / 1000);
  assert.equal(plan.bulk!.from, 360);
  assert.equal(plan.bulk!.available, false, "this is not AWS");
  assert.equal(plan.bulk!.advised, false);
  const told = await place.here("retention", ["extend", "--plan"]);
  assert.match(told.stderr, /at vault\.lockRate, 6 per minute/);
  assert.match(told.stderr, /only AWS has S3 Batch Operations/);

  // The same on AWS, by the config.
  await place.configure({ vault: { endpoint: undefined, region: "eu-central-1", forcePathStyle: undefined } });
  assert.deepEqual((await planOf(place)).bulk, {
    ...{ advised: false, from: 360, available: true, jobs: 0, objects: 0, left: objects, cost: null },
  });
  await place.configure({ vault: { lockRate: "8/h" } });
  const prices = ["--put-price", "5", "--job-price", "0.25", "--task-price", "1000000"];
  const cost = (objects * 5) / 1000 + 0.25 + objects;
  assert.deepEqual((await planOf(place, ...prices)).bulk, {
    ...{ advised: true, from: 8, available: true, jobs: 1, objects, left: 0, cost },
  });
  const advice = await place.here("retention", ["extend", "--plan"]);
  assert.match(advice.stderr, /advised: 1 job of S3 Batch Operations/);
});

test("--ahead counts what becomes due later; without it nothing is due", async () => {
  await using sandbox = await startSandbox({ identities: 2, plainImages: true });
  await using place = await makeWorkplace(sandbox, { client: { retention: FIRST } });
  await place.export();
  assert.equal((await planOf(place)).objects, 0);
  assert.equal((await planOf(place, "--ahead", "PT29M")).subjects, 0);
  await place.configure({ retention: { extendWhenLessThan: "PT45M" } });
  assert.equal((await planOf(place, "--ahead", "PT14M59S")).subjects, 0);
  assert.equal((await planOf(place, "--ahead", "PT14M59S")).bulk, null, "a directory needs no jobs");
  await place.configure({ retention: { initialLock: "PT3H" } });
  assert.equal((await planOf(place, "--ahead", "PT30M")).subjects, 2);
  const refused = await place.here("retention", ["extend", "--manifest", place.path("bulk"), "--json"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stdout, /--manifest is for vaults in S3, and this one is in a directory/);
});

describe("what a manifest leaves to the nightly run", { skip: withoutCeph }, () => {
  test("a date with few objects; the folder is not written if no date has enough", async () => {
    await using scene = await makeScene(2);
    const { place } = scene;
    await place.configure({ vault: FAST });
    const ended = await place.here("retention", ["extend", "--manifest", place.path("bulk"), "--json"]);
    assert.equal(ended.code, 0, ended.stderr);
    const { folder, left, objects } = ended.json as Section;
    assert.deepEqual([folder, objects, left], [null, 0, (await versionsIn(place)).length]);
    assert.equal(existsSync(place.path("bulk")), false);
    assert.match(ended.stderr, /no date has at least 300,000 due objects/);
  });

  test("never beyond the law's date: each date has a manifest of its own, to the second", async () => {
    await using scene = await makeScene(3);
    const { place } = scene;
    await place.configure({
      retention: { from: "exported", keep: "PT100M", initialLock: "PT100M", extendWhenLessThan: "PT90M" },
    });
    const folder = place.path("bulk");
    assert.equal((await place.here("retention", ["extend", "--manifest", folder])).code, 0);
    const ends = new Map<string, string>();
    for (const { time, object, files } of await place.entries("record.stored")) {
      const end = Temporal.Instant.from(time)
        .add({ minutes: 100 })
        .round({ smallestUnit: "second", roundingMode: "ceil" });
      for (const { key } of [object, ...files]) ends.set(key, `${end}`);
    }
    let rows = 0;
    for (const manifest of (await indexIn(folder)).manifests) {
      for (const [, key] of await linesOf(folder, manifest)) {
        assert.equal(ends.get(decodeURIComponent(key).replace("acme-bank/", "")), manifest.lockedUntil);
        rows += 1;
      }
    }
    assert.equal(rows, ends.size);
  });

  test("locks that are to become harder: a job would need the right to bypass governance, which also shortens", async () => {
    await using scene = await makeScene(2);
    const { place } = scene;
    await place.configure({
      vault: { lock: "compliance" },
      retention: { coolingOff: "PT1S", initialLock: "PT2H", extendWhenLessThan: "PT90M" },
    });
    const now = () => systemClock().add({ minutes: 1 });
    const plan = (await place.here("retention", ["extend", "--plan", "--json"], { now })).json as { plan: Plan[] };
    const objects = (await versionsIn(place)).length;
    const [{ gets, bulk, objects: due } = assert.fail()] = plan.plan;
    assert.deepEqual([due, gets, bulk!.objects, bulk!.left], [objects, objects, 0, objects]);
    const args = ["extend", "--manifest", place.path("bulk")];
    assert.equal((await place.here("retention", args, { now })).code, 0);
    assert.equal(existsSync(place.path("bulk")), false);
  });
});
