import assert from "node:assert/strict";
import { test } from "node:test";
import { backfillClients } from "../../jobs/backfill.ts";
import { silentLog } from "../../src/observe/log.ts";
import { noProgress } from "../../src/observe/progress.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("a machine that slept past its lease gets the vault again and continues", async () => {
  await using sandbox = await startSandbox({ identities: 40, files: false });
  await using place = await makeWorkplace(sandbox);
  let slept = Temporal.Duration.from({ seconds: 0 });
  sandbox.intercept(() => {
    if (sandbox.requests.of("identity") === 15) slept = Temporal.Duration.from({ minutes: 20 });
    return false;
  });
  const waited: string[] = [];
  const log = { ...silentLog, info: (message: string) => void waited.push(message) };
  const session = {
    clients: [await place.client()],
    console: { log, progress: () => noProgress, say: () => {}, result: () => {}, error: () => {} },
    signal: new AbortController().signal,
    now: () => Temporal.Now.instant().add(slept),
  };
  const [summary] = await backfillClients(session, {}, ({ error }) => {
    throw error;
  });
  assert.ok(waited.includes("waiting for the vault"), waited.join());
  assert.equal(summary!.outcome, "done");
  const stored = await place.stored();
  assert.equal(stored.size, 40);
  for (const versions of stored.values()) assert.equal(versions.length, 1);
  const [report] = await place.expect<{ problems: number }>(0, "verify", "--orphans");
  assert.equal(report!.problems, 0);
});
