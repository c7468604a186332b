import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { describe, test } from "node:test";
import { purge } from "../../jobs/purge.ts";
import { systemClock } from "../../src/core/clock.ts";
import { APART, skewOf } from "../../src/core/clock-check.ts";
import { makePlace } from "../faults/place.ts";
import { startSandbox } from "../sandbox/server.ts";

const MINUTES_15 = 15 * 60_000;

/** All files of the vault: every write leaves one. */
async function files(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

async function placed() {
  const sandbox = await startSandbox({ identities: 4, files: false });
  const place = await makePlace(sandbox);
  assert.equal((await place.export()).exit, 0);
  return {
    ...{ sandbox, place, vault: place.work.path("vault/acme-bank") },
    [Symbol.asyncDispose]: async () => {
      await place[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

describe("a vault in a directory, and a clock that is wrong", () => {
  for (const [what, off] of [
    ["400 days back", { hours: -400 * 24 }],
    ["at 1970", { milliseconds: -Date.now() }],
    ["10 years ahead", { hours: 10 * 365 * 24 }],
  ] as const) {
    test(`${what}: the provider's Date stops the run before it writes anything`, async () => {
      await using opened = await placed();
      const { place, vault } = opened;
      const before = await files(vault);
      const now = () => systemClock().add(off);
      const ended = await place.export({ now, skewOf: async () => Temporal.Duration.from(off).total("milliseconds") });
      assert.deepEqual([ended.exit, ended.code], [1, "state"]);
      assert.deepEqual(await files(vault), before);
      // The clock is set: nothing is in the way.
      await place.completes(4, systemClock);
    });
  }

  test("set back, while the provider does not answer: the log's last entry stops the run", async () => {
    await using opened = await placed();
    const { place, vault } = opened;
    const before = await files(vault);
    const last = Temporal.Instant.from((await place.work.entries()).at(-1)!.time);
    const at = (ms: number) => () => last.subtract({ milliseconds: ms });
    assert.deepEqual((await place.export({ now: at(MINUTES_15 + 1) })).code, "state");
    assert.deepEqual(await files(vault), before);
    assert.equal((await place.export({ now: at(MINUTES_15) })).exit, 0);
  });

  test("apart from the provider by a quarter of an hour, and by a millisecond more", async () => {
    assert.equal(APART, MINUTES_15);
    await using opened = await placed();
    const { place } = opened;
    for (const [skew, exit] of [
      [MINUTES_15, 0],
      [-MINUTES_15, 0],
      [MINUTES_15 + 1, 1],
      [-MINUTES_15 - 1, 1],
      [undefined, 0],
    ] as const)
      assert.equal((await place.export({ skewOf: async () => skew })).exit, exit, `${skew}`);
  });

  test("a log that a wrong clock wrote into does not stop every later run, where the provider agrees with this clock", async () => {
    await using opened = await placed();
    const { place } = opened;
    const ahead = () => systemClock().add({ hours: 24 * 365 });
    assert.equal((await place.export({ now: ahead })).exit, 0);
    assert.equal((await place.export()).code, "state");
    assert.equal((await place.export({ skewOf: async () => 0 })).exit, 0);
  });
});

describe("a purge, where only this machine's clock says what day it is", () => {
  for (const [what, hours] of [
    ["35 days after the log's last entry, it begins", 35 * 24],
    ["a second more, it is refused; and begins when a person names that day", 35 * 24 + 1 / 3600],
    ["years ahead", 400 * 24],
  ] as const) {
    test(what, async () => {
      await using opened = await placed();
      const { place, vault } = opened;
      const last = Temporal.Instant.from((await place.work.entries()).at(-1)!.time);
      const at = last.add({ milliseconds: Math.round(hours * 3_600_000) });
      const silent = { now: () => at, skewOf: async () => undefined };
      const before = await files(vault);
      const out = place.work.path("destroyed");
      const today = at.toString().slice(0, 10);
      if (hours > 35 * 24) {
        await assert.rejects(purge(await place.session(silent), out), { code: "state", hint: new RegExp(today) });
        await assert.rejects(purge(await place.session(silent), out, "2026-11-29"), { code: "usage" });
        assert.deepEqual(await files(vault), before);
      }
      const done = await purge(await place.session(silent), out, hours > 35 * 24 ? today : undefined);
      // The locks of the first export last longer: what is asked here is whether it begins.
      assert.equal(done.failed, 0);
    });
  }
});

test("a Date that is missing or nonsense proves nothing", () => {
  const now = Temporal.Instant.from("2026-11-28T12:00:00Z");
  for (const nonsense of [
    ...[undefined, "", "0", "soon", "1 May", "2026-11-28T12:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"],
    ...["Sat, 99 Nov 2026 12:00:00 GMT", ["Sat, 28 Nov 2026 12:00:00 GMT"]],
  ])
    assert.equal(skewOf(nonsense, now), undefined, String(nonsense));
  assert.equal(skewOf("Sat, 28 Nov 2026 11:00:00 GMT", now), 3_600_000 - 500);
});

test("the real program asks the provider for the time; if it is off by a day, the error names both times", async () => {
  await using opened = await placed();
  const { sandbox, place, vault } = opened;
  const before = await files(vault);
  const theirs = new Date(Date.now() + 86_400_000).toUTCString();
  sandbox.intercept((_, response) => {
    response.setHeader("Date", theirs);
    return false;
  });
  const refused = await place.work.here("export", ["--json"]);
  assert.equal(refused.code, 1);
  const { error } = refused.json as { error?: { code: string; error: string } };
  assert.ok(refused.stderr.includes(new Date(theirs).toISOString().slice(0, 16)), refused.stderr);
  assert.ok(error === undefined || error.code === "state");
  assert.deepEqual(await files(vault), before);
  const doctor = await place.work.holdfast("doctor");
  assert.match(doctor.stdout + doctor.stderr, /86[34]\d\d s behind the provider/);
  sandbox.intercept(undefined);
  assert.equal((await place.work.here("export")).code, 0);
});
