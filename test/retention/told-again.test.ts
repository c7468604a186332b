import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { exportClients } from "../../jobs/export.ts";
import { purge } from "../../jobs/purge.ts";
import { reopenRelationship } from "../../jobs/relationship.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

const SHORT = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };

test("a reopening recorded for one person and then for all: a purged and reopened person is not unknown", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox, { client: { retention: SHORT } });
  await exportClients(await session(place), {});
  // Real locks end by the clock.
  await delay(2_100);
  await purge(await session(place), place.path("destroyed"));
  const subjects = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
  const reopen = async (of: string[]) =>
    reopenRelationship(await session(place), { identities: [], emails: [], references: [], subjects: of });
  await reopen(subjects.slice(0, 1));
  const { reopened, unchanged } = await reopen(subjects);
  assert.deepEqual([reopened, unchanged], [subjects.slice(1), 1]);
  await assert.rejects(reopen(["ab".repeat(16)]), { code: "usage" });
});
