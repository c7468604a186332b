import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ask } from "../retention/place.ts";
import { startSandbox } from "../sandbox/server.ts";
import { withoutRedis } from "../servers/redis.ts";
import { Team } from "../workers/team.ts";
import { CLIENT, makeWorkplace, type Workplace } from "./workplace.ts";

/** Files have a clock of their own, as under 31 CFR 1020.220: who they are of stays a customer. */
const RETENTION = {
  keep: "P5Y",
  from: "relationship-end",
  classes: { files: { keep: "PT3S", from: "exported" } },
  initialLock: "PT2S",
  extendWhenLessThan: "PT1S",
};

/** Long enough for what is checked afterwards. */
const LATER = {
  classes: { files: { keep: "PT2H", from: "exported" } },
  initialLock: "PT1H",
  extendWhenLessThan: "PT30M",
};

/** Exports, lets the time of the files pass, and purges them. Gives their keys. */
async function purgeFiles(place: Workplace): Promise<Set<string>> {
  await place.export();
  const keys = (await place.entries("record.stored")).flatMap(({ files }) => files.map(({ key }) => key));
  assert.ok(keys.length > 0);
  await delay(4_000);
  await ask(place, 0, "retention", "purge", "--confirm", "--out", place.path("destroyed"));
  for (const key of keys) assert.ok(!existsSync(place.path("vault", CLIENT, key)), "it is purged");
  assert.ok((await place.entries("record.purged")).every(({ whole }) => !whole));
  await place.configure({ retention: LATER });
  return new Set(keys);
}

test("a living customer's purged files do not come back with the next change: the record says that they were purged", async () => {
  await using sandbox = await startSandbox({ identities: 4, plainImages: true });
  await using place = await makeWorkplace(sandbox, { client: { retention: RETENTION } });
  const keys = await purgeFiles(place);
  sandbox.change([0, 1, 2, 3], { files: false });
  sandbox.requests.clear();
  const summary = await place.export();
  assert.deepEqual([summary.changed, summary.files, summary.withheld], [4, 0, 0]);
  assert.equal(sandbox.requests.of("file"), 0);
  let purged = 0;
  for (const entry of (await place.entries("record.stored")).slice(-4)) {
    assert.deepEqual([entry.files, entry.withheld], [[], 0]);
    const record = await place.record(entry);
    assert.deepEqual(record.files, []);
    for (const { reason } of record.withheld) assert.equal(reason, "purged");
    purged += record.withheld.length;
  }
  assert.equal(purged, keys.size);
  // Asked for by name they do not come back either, and what was purged is not what the provider withholds.
  await place.export("--identity", sandbox.ids()[0]!, "--again");
  assert.equal((await place.export("--withheld")).again, 0);
  assert.equal(sandbox.requests.of("file"), 0);
  await place.expect(0, "verify", "--read-data", "100", "--orphans");
  // A capture made since is another file.
  sandbox.change([0], { files: true });
  assert.ok((await place.export()).files > 0);
});

test("nor do they by a worker", { skip: withoutRedis }, async () => {
  await using sandbox = await startSandbox({ identities: 4, plainImages: true });
  await using team = await Team.make(sandbox, { client: { retention: RETENTION } });
  await purgeFiles(team.place);
  await team.workers.configure({ retention: LATER });
  sandbox.change([0, 1, 2, 3], { files: false });
  sandbox.requests.clear();
  const coordinator = team.coordinate();
  team.work();
  const summary = await team.summary(coordinator);
  assert.deepEqual([summary.changed, summary.files, summary.failed], [4, 0, 0]);
  assert.equal(sandbox.requests.of("file"), 0);
});
