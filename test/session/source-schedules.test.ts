import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, mock, test } from "node:test";
import type { ClientConfig } from "../../src/config/config.ts";
import type { SourceConfig } from "../../src/config/source-config.ts";
import { HoldfastError } from "../../src/core/error.ts";
import type { ClientFailure } from "../../src/session/each-client.ts";
import { noteRuns } from "../../src/session/last-runs.ts";
import { Schedules } from "../../src/session/schedule.ts";
import { noteExport, readLastExport } from "../../src/state/last-export.ts";
import { mockedSession } from "./mocked-session.ts";
import { sourceOf } from "./source-of.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-sources-"));
after(() => rmSync(folder, { recursive: true }));
afterEach(() => mock.timers.reset());

const NIGHTLY = { cron: "30 2 * * *", timezone: "UTC", jitter: 0 };
const LATER = { ...NIGHTLY, cron: "0 4 * * *" };

function client(id: string, ...sources: SourceConfig[]): ClientConfig {
  return { id, state: join(folder, id), schedule: NIGHTLY, sources } as unknown as ClientConfig;
}

type Failing = (begun: string) => Promise<Omit<ClientFailure, "client">[]>;

/** A daemon from half past one on. `work` ends each run: with the failures of its sources. */
function daemon(clients: readonly ClientConfig[], work: Failing = async () => []) {
  const begun: string[] = [];
  const { session, lines } = mockedSession(clients, "2026-11-25T01:30:00Z");
  const schedules = new Schedules(session, async (due, onFailure) => {
    for (const { id, only = ["all"] } of due.clients) {
      const run = `${id} ${only.join("+")} ${new Date().toISOString().slice(11, 16)}`;
      begun.push(run);
      for (const failure of await work(run)) onFailure({ client: id, ...failure });
    }
  });
  schedules.replace(clients);
  return { begun, lines, schedules };
}

async function pass(minutes: number): Promise<void> {
  for (let passed = 0; passed < minutes; passed += 1) {
    mock.timers.tick(60_000);
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a source with a schedule of its own is exported on it, the others on the client's", async () => {
  const { begun, schedules } = daemon([client("own", sourceOf("a"), sourceOf("b", LATER), sourceOf("c"))]);
  await pass(180);
  assert.deepEqual(begun, ["own a+c 02:30", "own b 04:00"]);
  await schedules.stop();
});

test("a daemon for one source (--source) exports no other, and extends the locks", async () => {
  const own = client("only", sourceOf("a"), sourceOf("b", LATER), sourceOf("c"));
  noteExport(own.state, { sources: { a: { due: "2026-11-24T02:30:00Z" }, c: { success: "2026-11-24T02:31:00Z" } } });
  const { begun, schedules } = daemon([{ ...own, only: ["b"] }]);
  await pass(180);
  assert.deepEqual(begun, ["only  02:30", "only b 04:00"]);
  await schedules.stop();
  noteRuns({ ...own, only: ["b"] }, { b: { success: "2026-11-25T04:01:00Z" } });
  const { sources } = readLastExport(own.state);
  assert.equal(sources?.c?.success, "2026-11-24T02:31:00Z", "what is remembered of the others stays");
  assert.equal(sources?.b?.success, "2026-11-25T04:01:00Z");
});

test("where every source has a schedule of its own, the locks are extended on the client's", async () => {
  const { begun, schedules } = daemon([client("locks", sourceOf("a", LATER))]);
  await pass(180);
  assert.deepEqual(begun, ["locks  02:30", "locks a 04:00"]);
  await schedules.stop();
});

test("a run that is due while the client's other source is active waits for its end", async () => {
  const release = Promise.withResolvers<void>();
  const { begun, lines, schedules } = daemon([client("waits", sourceOf("a"), sourceOf("b", LATER))], async (run) => {
    if (run.includes(" a ")) await release.promise;
    return [];
  });
  await pass(180);
  assert.deepEqual(begun, ["waits a 02:30"]);
  assert.ok(lines.some((line) => line.includes("waits until it has ended")));
  release.resolve();
  await pass(1);
  assert.equal(begun.length, 2);
  assert.match(begun[1]!, /^waits b 04:3/);
  await schedules.stop();
});

test("only the source that failed is tried again", async () => {
  const { begun, schedules } = daemon([client("again", sourceOf("a"), sourceOf("b"), sourceOf("c"))], async (run) => {
    if (run.endsWith("02:31")) return [{ source: "c", error: new HoldfastError("source-unavailable", "no answer") }];
    if (!run.endsWith("02:30")) return [];
    return ["b", "c"].map((source) => ({ source, error: new HoldfastError("source-unavailable", "no answer") }));
  });
  await pass(120);
  assert.deepEqual(begun, ["again a+b+c 02:30", "again b+c 02:31", "again c 02:33"]);
  await schedules.stop();
});

test("what was missed is remembered of each source, and the client is as far as its last one", async () => {
  const missed = client("missed", sourceOf("a"), sourceOf("b"), sourceOf("c", LATER));
  noteExport(missed.state, { due: "2026-11-26T02:30:00Z", success: "2026-11-20T02:30:00Z" });
  noteRuns(missed, { a: { due: "2026-11-26T02:30:00Z", success: "2026-11-25T02:30:00Z" } });
  noteRuns(missed, { c: { due: "2026-11-24T04:00:00Z" } });
  assert.deepEqual(
    [readLastExport(missed.state).due, readLastExport(missed.state).success],
    ["2026-11-24T04:00:00Z", "2026-11-20T02:30:00Z"],
  );
  const { begun, schedules } = daemon([missed]);
  assert.deepEqual(begun, ["missed c 01:30"]);
  await schedules.stop();
});

test("a source that is retired is in no run", async () => {
  const { begun, schedules } = daemon([client("left", sourceOf("a"), { ...sourceOf("b"), retired: true })]);
  await pass(90);
  assert.deepEqual(begun, ["left a 02:30"]);
  await schedules.stop();
});
