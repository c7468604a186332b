import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, describe, mock, test } from "node:test";
import type { ClientConfig, ScheduleConfig } from "../../src/config/config.ts";
import type { Console } from "../../src/observe/console.ts";
import { silentLog } from "../../src/observe/log.ts";
import { noProgress } from "../../src/observe/progress.ts";
import type { Session } from "../../src/session/client.ts";
import { nextDue } from "../../src/session/next-run.ts";
import { Schedules } from "../../src/session/schedule.ts";
import { noteExport, readLastExport } from "../../src/state/last-export.ts";
import { sourceOf } from "./source-of.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-due-"));
after(() => rmSync(folder, { recursive: true }));
afterEach(() => mock.timers.reset());

const NIGHTLY = { cron: "30 2 * * *", timezone: "Europe/Berlin", jitter: 0 };

function at(time: string): void {
  mock.timers.enable({ apis: ["Date", "setTimeout"], now: new Date(time) });
}

describe("when a run is due", () => {
  for (const [what, now, schedule, due] of [
    ["an ordinary night", "2026-11-24T12:00:00Z", NIGHTLY, "2026-11-25T01:30:00Z"],
    ["the night that has no 02:30", "2026-03-28T12:00:00Z", NIGHTLY, "2026-03-29T01:00:00Z"],
    ["after it", "2026-03-29T01:00:00Z", NIGHTLY, "2026-03-30T00:30:00Z"],
    ["the night that has two", "2026-10-24T12:00:00Z", NIGHTLY, "2026-10-25T01:30:00Z"],
    ["after the second", "2026-10-25T01:30:00Z", NIGHTLY, "2026-10-26T01:30:00Z"],
    ["the first minute left out", "2026-03-28T12:00:00Z", { ...NIGHTLY, cron: "0 2 * * *" }, "2026-03-29T01:00:00Z"],
    ["the last", "2026-03-28T12:00:00Z", { ...NIGHTLY, cron: "59 2 * * *" }, "2026-03-29T01:00:00Z"],
    ["the first after it", "2026-03-28T12:00:00Z", { ...NIGHTLY, cron: "0 3 * * *" }, "2026-03-29T01:00:00Z"],
    ["the last before it", "2026-03-28T12:00:00Z", { ...NIGHTLY, cron: "59 1 * * *" }, "2026-03-29T00:59:00Z"],
    ["a second of a minute", "2026-03-28T12:00:00Z", { ...NIGHTLY, cron: "7 30 2 * * *" }, "2026-03-29T01:00:00Z"],
    ["another weekday", "2026-03-28T12:00:00Z", { ...NIGHTLY, cron: "30 2 * * 1" }, "2026-03-30T00:30:00Z"],
    ["that weekday", "2026-03-23T12:00:00Z", { ...NIGHTLY, cron: "30 2 * * 0" }, "2026-03-29T01:00:00Z"],
    ["once a year, then", "2025-04-01T00:00:00Z", { ...NIGHTLY, cron: "30 2 29 3 *" }, "2026-03-29T01:00:00Z"],
    [
      "half an hour left out",
      "2026-10-03T12:00:00Z",
      { ...NIGHTLY, cron: "15 2 * * *", timezone: "Australia/Lord_Howe" },
      "2026-10-03T15:30:00Z",
    ],
    ["no summer time at all", "2026-03-28T12:00:00Z", { ...NIGHTLY, timezone: "UTC" }, "2026-03-29T02:30:00Z"],
  ] as const) {
    test(what, () => {
      at(now);
      assert.equal(nextDue(schedule, Temporal.Instant.from(now)).toString(), due);
    });
  }
});

/** When runs begin in so many days. */
async function runs(schedule: ScheduleConfig, from: string, days: number): Promise<string[]> {
  at(from);
  const begun: string[] = [];
  const { schedules } = scheduled(
    [client(`nights-${Date.now()}`, schedule)],
    async () => void begun.push(new Date().toISOString()),
  );
  for (let half = 0; half < days * 48; half++) {
    mock.timers.tick(30 * 60_000);
    await settled();
  }
  await schedules.stop();
  return begun;
}

test("a run every night, also when the clocks are changed: none is left out and none runs twice", async () => {
  assert.deepEqual(await runs(NIGHTLY, "2026-03-28T12:00:00Z", 3), [
    "2026-03-29T01:00:00.000Z",
    "2026-03-30T00:30:00.000Z",
    "2026-03-31T00:30:00.000Z",
  ]);
  mock.timers.reset();
  assert.deepEqual(await runs(NIGHTLY, "2026-10-24T12:00:00Z", 3), [
    "2026-10-25T01:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
    "2026-10-27T01:30:00.000Z",
  ]);
  mock.timers.reset();
  const hourly = await runs({ ...NIGHTLY, cron: "0 * * * *" }, "2026-03-28T23:30:00Z", 1);
  assert.equal(hourly.length, 24);
  assert.equal(new Set(hourly).size, 24);
});

describe("what was missed", () => {
  test("a run that fell due while no one was there begins at once, and once", async () => {
    at("2026-11-25T09:00:00Z");
    const acme = client("missed", NIGHTLY);
    noteExport(acme.state, { due: "2026-11-23T01:30:00Z" });
    const { ran, schedules } = scheduled([acme]);
    await settled();
    assert.deepEqual(ran, [["missed"]]);
    await schedules.stop();
  });

  test("only those whose run was missed: others wait for theirs", async () => {
    at("2026-11-25T09:00:00Z");
    const [late, early] = [client("late", NIGHTLY), client("early", NIGHTLY)];
    noteExport(late.state, { due: "2026-11-25T01:30:00Z" });
    noteExport(early.state, { due: "2026-11-26T01:30:00Z", success: "2026-11-25T01:40:00Z" });
    const { ran, schedules } = scheduled([late, early]);
    await settled();
    assert.deepEqual(ran, [["late"]]);
    // Not done yet by anyone: cut now, it is due at the next start too.
    assert.equal(readLastExport(late.state).due, "2026-11-25T01:30:00Z");
    assert.deepEqual(readLastExport(early.state), { due: "2026-11-26T01:30:00Z", success: "2026-11-25T01:40:00Z" });
    await schedules.stop();
  });

  test("the first start of all has missed nothing, and remembers when it is due", async () => {
    at("2026-11-25T09:00:00Z");
    const acme = client("first", NIGHTLY);
    const { ran, schedules } = scheduled([acme]);
    await settled();
    assert.deepEqual(ran, []);
    assert.deepEqual(readLastExport(acme.state), { due: "2026-11-26T01:30:00Z" });
    await schedules.stop();
  });

  test("another cron line changes when it is due", async () => {
    at("2026-11-25T09:00:00Z");
    const acme = client("moved", { ...NIGHTLY, cron: "0 12 * * *" });
    noteExport(acme.state, { due: "2026-11-26T01:30:00Z" });
    const { schedules } = scheduled([acme]);
    assert.deepEqual(readLastExport(acme.state), { due: "2026-11-25T11:00:00Z" });
    await schedules.stop();
  });

  test("a machine that slept through it makes up for it when it wakes", async () => {
    at("2026-11-25T01:00:00Z");
    const { ran, schedules } = scheduled([client("slept", NIGHTLY)]);
    // The clock goes on and the timers do not, as when a lid is closed.
    mock.timers.setTime(new Date("2026-11-25T08:00:00Z").getTime());
    mock.timers.tick(60_000);
    await settled();
    assert.deepEqual(ran, [["slept"]]);
    await schedules.stop();
  });
});

describe("clients", () => {
  test("each at its own time; those of one time together, in the config's order", async () => {
    at("2026-11-25T00:00:00Z");
    const noon = { ...NIGHTLY, cron: "0 12 * * *" };
    const { ran, schedules } = scheduled([client("a", NIGHTLY), client("b", noon), client("c", { ...NIGHTLY })]);
    for (let hour = 0; hour < 24; hour++) {
      mock.timers.tick(30 * 60_000);
      await settled();
      mock.timers.tick(30 * 60_000);
      await settled();
    }
    assert.deepEqual(ran, [["a", "c"], ["b"]]);
    await schedules.stop();
  });

  test("a client whose run is active is skipped, no matter which schedule it is due by", async () => {
    at("2026-11-25T01:00:00Z");
    const release = Promise.withResolvers<void>();
    const { ran, schedules } = scheduled([client("slow", NIGHTLY)], () => release.promise);
    mock.timers.tick(30 * 60_000);
    await settled();
    // The config is read again while it runs.
    schedules.replace([
      client("slow", { ...NIGHTLY, cron: "40 2 * * *" }),
      client("other", { ...NIGHTLY, cron: "40 2 * * *" }),
    ]);
    mock.timers.tick(10 * 60_000);
    await settled();
    assert.deepEqual(ran, [["slow"], ["other"]]);
    let stopped = false;
    const stop = schedules.stop().then(() => {
      stopped = true;
    });
    await settled();
    assert.equal(stopped, false, "it waits for what is under way");
    release.resolve();
    await stop;
  });

  test("after a replace the old times are no more", async () => {
    at("2026-11-25T01:00:00Z");
    const { ran, schedules } = scheduled([client("x", NIGHTLY)]);
    schedules.replace([client("x", { ...NIGHTLY, cron: "0 12 * * *" })]);
    mock.timers.tick(30 * 60_000);
    await settled();
    assert.deepEqual(ran, []);
    await schedules.stop();
    assert.equal(schedules.ready, false);
  });

  test("jitter: later by some of it, never earlier and never by more", async (t) => {
    for (const [random, minutes] of [
      [0, 0],
      [0.5, 5],
      [0.999_999, 10],
    ] as const) {
      at("2026-11-25T01:29:00Z");
      t.mock.method(Math, "random", () => random);
      const begun: number[] = [];
      const jittery = client(`j${minutes}`, { ...NIGHTLY, jitter: 600_000 });
      const { schedules } = scheduled([jittery], async () => void begun.push(Date.now()));
      for (let second = 0; second < 12 * 60; second++) {
        mock.timers.tick(1000);
        if (second % 30 === 0) await settled();
      }
      await settled();
      const late = begun.map((time) => Math.round((time - Date.parse("2026-11-25T01:30:00Z")) / 60_000));
      assert.deepEqual(late, [minutes]);
      await schedules.stop();
      mock.timers.reset();
    }
  });
});

function client(id: string, schedule: ScheduleConfig): ClientConfig {
  return { id, state: join(folder, id), schedule, sources: [sourceOf("passbase")] } as unknown as ClientConfig;
}

function scheduled(clients: readonly ClientConfig[], work: () => Promise<unknown> = async () => {}) {
  const ran: string[][] = [];
  const console = { log: silentLog, say: () => {}, progress: () => noProgress } as unknown as Console;
  const now = () => Temporal.Instant.fromEpochMilliseconds(Date.now());
  const session: Session = { clients, console, now, signal: new AbortController().signal };
  const schedules = new Schedules(session, async (due) => {
    ran.push(due.clients.map(({ id }) => id));
    await work();
  });
  schedules.replace(clients);
  return { ran, schedules };
}

/** Lets everything that timers started finish. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
