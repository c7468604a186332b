import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, describe, mock, test } from "node:test";
import type { ClientConfig } from "../../src/config/config.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { Schedules } from "../../src/session/schedule.ts";
import { noteExport, readLastExport } from "../../src/state/last-export.ts";
import { LEASE } from "../../src/vault/layout.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { mockedSession } from "./mocked-session.ts";
import { sourceOf } from "./source-of.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-again-"));
after(() => rmSync(folder, { recursive: true }));
afterEach(() => mock.timers.reset());

const NIGHTLY = { cron: "30 2 * * *", timezone: "UTC", jitter: 0 };
const START = "2026-11-25T02:30:00Z";
const gone = () => new HoldfastError("source-unavailable", "no answer");
const held = (ms: number) => new HoldfastError("busy", "held", { retryAfter: ms });

function client(id: string, cron = NIGHTLY.cron): ClientConfig {
  return {
    id,
    state: join(folder, id),
    schedule: { ...NIGHTLY, cron },
    sources: [sourceOf("passbase")],
  } as unknown as ClientConfig;
}

/** A daemon whose clock is moved by the test. `work` is what each attempt at a client's run comes to. */
function daemon(clients: readonly ClientConfig[], work: (id: string, attempt: number) => Promise<void>) {
  const begun: string[] = [];
  const { session, lines } = mockedSession(clients, "2026-11-25T02:29:00Z");
  const attempts = new Map<string, number>();
  const schedules = new Schedules(session, async (due, onFailure) => {
    for (const { id } of due.clients) {
      begun.push(`${id} ${(Date.now() - Date.parse(START)) / 1000}`);
      const attempt = (attempts.get(id) ?? 0) + 1;
      attempts.set(id, attempt);
      await work(id, attempt).catch((error: unknown) => onFailure({ client: id, error }));
    }
  });
  schedules.replace(clients);
  return { begun, lines, schedules };
}

/** Lets so many seconds pass. */
async function pass(seconds: number, step = 1): Promise<void> {
  for (let passed = 0; passed < seconds; passed += step) {
    mock.timers.tick(step * 1000);
    for (let turn = 0; turn < 4; turn++) await Promise.resolve();
  }
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("a scheduled run that fails", () => {
  test("a claim that no one renews is waited out, and the run begins as it ends", async () => {
    const { begun, lines, schedules } = daemon([client("held")], async (_, attempt) => {
      if (attempt === 1) throw held(180_000);
    });
    await pass(60 + 180);
    assert.deepEqual(begun, ["held 0"]);
    await pass(1);
    assert.deepEqual(begun, ["held 0", "held 181"]);
    await pass(7 * 3600, 10);
    assert.equal(begun.length, 2);
    assert.ok(lines.includes("another process holds the vault: the run waits until its lease ends"), lines.join("\n"));
    await schedules.stop();
  });

  test("a vault that a live process holds: it is told, and tried again with longer pauses until the night is over", async () => {
    const { begun, lines, schedules } = daemon([client("live")], async () => {
      throw held(290_000);
    });
    await pass(9 * 3600);
    const times = begun.map((line) => Number(line.split(" ")[1]));
    assert.deepEqual(times.slice(0, 6), [0, 291, 582, 873, 1353, 2313]);
    assert.ok(times.at(-1)! <= 6 * 3600 && times.at(-1)! > 5 * 3600, times.join());
    assert.equal(lines.filter((line) => line === "this run failed and will be retried").length, times.length - 2);
    assert.equal(lines.filter((line) => line === "scheduled run failed").length, 1);
    await schedules.stop();
  });

  test("a claim that its clock puts years ahead is not believed", async () => {
    const { begun, schedules } = daemon([client("ahead")], async (_, attempt) => {
      if (attempt === 1) throw held(10 * 365 * 86_400_000);
    });
    await pass(60 + 301);
    assert.deepEqual(begun, ["ahead 0", "ahead 301"]);
    await schedules.stop();
  });

  test("a provider that is not up yet is asked again after one minute, two, four, and half an hour at most", async () => {
    const { begun, schedules } = daemon([client("down")], async (_, attempt) => {
      if (attempt < 9) throw gone();
    });
    await pass(9 * 3600, 10);
    const times = begun.map((line) => Number(line.split(" ")[1]) / 60);
    assert.deepEqual(times, [0, 1, 3, 7, 15, 31, 61, 91, 121]);
    await schedules.stop();
  });

  test("what another attempt would not change is not tried again", async () => {
    const { begun, lines, schedules } = daemon([client("key")], async () => {
      throw new HoldfastError("source-key", "refused");
    });
    await pass(9 * 3600, 30);
    assert.deepEqual(begun, ["key 0"]);
    assert.ok(lines.includes("scheduled run failed"));
    await schedules.stop();
  });

  test("the next run that is due goes before another attempt", async () => {
    const { begun, schedules } = daemon([client("often", "*/10 * * * *")], async (_, attempt) => {
      if (attempt <= 4) throw gone();
    });
    await pass(60 + 1300);
    assert.deepEqual(begun, ["often 0", "often 60", "often 180", "often 420", "often 600", "often 1200"]);
    await schedules.stop();
  });

  test("another client of the same schedule does not wait for it, and neither runs twice at once", async () => {
    const release = Promise.withResolvers<void>();
    const { begun, schedules } = daemon([client("a"), client("b")], async (id, attempt) => {
      if (id === "a" && attempt === 1) throw gone();
      await release.promise;
    });
    await pass(60 + 120);
    assert.deepEqual(begun, ["a 0", "b 0", "a 60"]);
    // Both are under way: the config is read again, and nothing begins.
    schedules.replace([client("a"), client("b")]);
    await pass(60);
    assert.equal(begun.length, 3);
    release.resolve();
    await schedules.stop();
  });
});

describe("SIGHUP", () => {
  test("while a run is active, it is not started a second time or called missed, and stays due", async () => {
    const slow = client("slow");
    noteExport(slow.state, { due: "2026-11-25T01:00:00Z" });
    const release = Promise.withResolvers<void>();
    const { begun, lines, schedules } = daemon([slow], () => release.promise);
    const told = () => lines.filter((line) => line.includes("missed or cut")).length;
    assert.equal(told(), 1);
    schedules.replace([client("slow")]);
    await pass(10);
    assert.equal(told(), 1);
    assert.equal(begun.length, 1);
    assert.equal(lines.length, 1, lines.join("\n"));
    assert.equal(readLastExport(slow.state).due, "2026-11-25T01:00:00Z");
    release.resolve();
    await schedules.stop();
  });

  test("while a run waits to be tried again: it begins at once, with the new config", async () => {
    const { begun, schedules } = daemon([client("waits")], async (_, attempt) => {
      if (attempt === 1) throw gone();
    });
    await pass(60 + 10);
    schedules.replace([client("waits")]);
    await pass(300);
    assert.deepEqual(begun, ["waits 0", "waits 10"]);
    await schedules.stop();
  });
});

test("kill -9 in mid-run, and a restart in another container before the claim has ended: the night is not lost", async () => {
  await using sandbox = await startSandbox({ identities: 12, files: false });
  await using place = await makeWorkplace(sandbox);
  place.config.schedule = { cron: "0 0 29 2 *" };
  await place.configure();
  const { state } = await place.client();
  const due = "2026-01-01T02:30:00Z";
  noteExport(state, { due });
  const asked = Promise.withResolvers<void>();
  sandbox.intercept((request) => {
    if (!/\/identities\/./.test(request.url!)) return false;
    asked.resolve();
    return true;
  });
  const first = place.start("export", ["--schedule"]);
  await asked.promise;
  first.kill("SIGKILL");
  await first.ended;
  assert.equal(readLastExport(state).due, due);
  // What it left, as a process that cannot be looked at from here: nothing but time shows that it is dead.
  const vault = await place.vault();
  const left = JSON.parse(await readFile(place.path("vault/acme-bank", LEASE), "utf8"));
  const claim = () => {
    const until = Temporal.Now.instant().add({ seconds: 8 }).toString();
    return vault.put(LEASE, Buffer.from(JSON.stringify({ ...left, process: undefined, until })));
  };
  await claim();
  sandbox.intercept(undefined);

  const second = place.start("export", ["--schedule"]);
  // However long the program takes to start: it must still find the claim.
  const standing = setInterval(() => void claim(), 1_000);
  const waits = await second.logged(({ code }) => code === "busy").finally(() => clearInterval(standing));
  assert.equal(waits.level, "info");
  assert.equal(readLastExport(state).due, due);
  await second.logged(({ outcome }) => outcome === "done");
  second.kill("SIGTERM");
  await second.ended;
  assert.equal((await place.stored()).size, 12);
  assert.ok(Temporal.Instant.compare(readLastExport(state).due!, Temporal.Now.instant()) > 0);
  await place.expect(0, "verify");
});
