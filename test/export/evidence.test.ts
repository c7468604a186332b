import assert from "node:assert/strict";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { startOnfido } from "../sandbox/onfido/server.ts";
import { makeWorkplace } from "./workplace.ts";

const DAY = 86_400_000;

test("evidence that the provider has not made yet is asked for each night while the applicant is open, and stored once", async () => {
  let ahead = 0;
  const clock = () => Date.now() + ahead;
  await using onfido = await startOnfido({
    ...{ identities: 12, plainImages: true, videoBytes: 4_000, evidenceDelay: 3 * DAY, clock },
  });
  onfido.add(12);
  await using place = await makeWorkplace(onfido, {
    client: { source: { kind: "onfido", resync: "P100Y" } },
    init: false,
  });
  let asked = 0;
  onfido.intercept(({ url = "" }, response) => {
    response.setHeader("Date", new Date(clock()).toUTCString());
    if (url.includes("/signed_evidence_file")) asked += 1;
    return false;
  });
  const here = (command: string) =>
    place.here(command, ["--json"], { now: () => Temporal.Instant.fromEpochMilliseconds(clock()) });
  assert.equal((await here("init")).code, 0);
  const night = async (): Promise<Summary> => {
    asked = 0;
    const ended = await here("export");
    assert.equal(ended.code, 0, ended.stderr);
    return (ended.json as { clients: Summary[] }).clients[0]!;
  };
  const first = await night();
  assert.ok(first.withheld > 0 && asked > 0, `${first.withheld}`);

  ahead += DAY;
  const second = await night();
  const waiting = asked;
  assert.ok(waiting > 0, "it is asked for again");
  assert.deepEqual([second.again, second.files, second.withheld], [0, 0, 0]);

  ahead += 5 * DAY;
  const third = await night();
  assert.deepEqual([third.again, third.files], [waiting, waiting]);
  const records = await Promise.all([...(await place.stored()).values()].map((all) => place.record(all.at(-1)!)));
  assert.deepEqual(
    records.flatMap(({ withheld }) => withheld.filter(({ reason }) => reason === "missing")),
    [],
  );

  // It is there: a glance is enough again.
  ahead += DAY;
  assert.equal((await night()).again, 0);
  assert.equal(asked, 0);
});
