import assert from "node:assert/strict";
import { test } from "node:test";
import { exportClients } from "../../jobs/export.ts";
import { extendAll } from "../../jobs/retention.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

// What a process leaves in its journal would be logged by its next one: after what another machine logged meanwhile.
test("the first rules are in the vault's log when retention extend ends", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox, {});
  await extendAll(await session(place));
  assert.equal((await place.entries("policy.changed")).length, 1);
});

test("the first rules are in the vault's log when an export ends whose source cannot be asked", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox, {});
  await place.configure({ source: { apiKey: "env:NO_SUCH_KEY" } });
  await assert.rejects(exportClients(await session(place), {}));
  assert.equal((await place.entries("policy.changed")).length, 1);
});
