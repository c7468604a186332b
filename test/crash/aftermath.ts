import assert from "node:assert/strict";
import { exportClients } from "../../jobs/export.ts";
import { verify } from "../../jobs/verify.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Session } from "../../src/session/client.ts";
import { silentConsole } from "../export/here.ts";
import type { Workplace } from "../export/workplace.ts";
import type { Sandbox } from "../sandbox/server.ts";

export async function session(place: Workplace): Promise<Session> {
  return {
    clients: [await place.client()],
    console: silentConsole,
    signal: new AbortController().signal,
    now: systemClock,
  };
}

/**
 * Checks the state after a crash and one complete run: no one is missing, nothing is logged twice, there is one
 * history, and verify finds no problem. Objects that were stored but not logged remain as older versions of logged
 * objects, at most one per kill. They are not used, because they may be sealed to others or be forged.
 */
export async function assertWhole(place: Workplace, sandbox: Sandbox, what: string, kills = 1): Promise<void> {
  const here = await session(place);
  const [summary] = await exportClients(here, {});
  assert.equal(summary?.outcome, "done", what);
  const stored = await place.entries("record.stored");
  const subjects = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
  assert.deepEqual(new Set(stored.map(({ subject }) => subject)), new Set(subjects), `${what}: someone is missing`);
  const records = stored.map(({ object }) => object.key);
  assert.equal(new Set(records).size, records.length, `${what}: a version is logged twice`);
  const files = stored.flatMap((entry) => entry.files.filter(({ storedWith }) => !storedWith).map(({ key }) => key));
  assert.equal(new Set(files).size, files.length, `${what}: a file is logged twice`);
  const [report] = await verify(here, { readData: 100, orphans: true });
  assert.deepEqual(report?.found, [], what);
  const logged = new Set([...records, ...files]);
  const orphans = Map.groupBy(report!.orphaned!, ({ key }) => key);
  for (const [key, versions] of orphans) {
    assert.ok(logged.has(key), `${what}: ${key} is in the vault but in no entry`);
    assert.ok(versions.length <= kills, `${what}: ${key} was stored ${versions.length + 1} times`);
  }
}
