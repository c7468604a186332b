import assert from "node:assert/strict";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { startOnfido } from "../sandbox/onfido/server.ts";
import { makeWorkplace, type Workplace } from "./workplace.ts";

const DAY = 86_400_000;

/** Nights of twelve new applicants, whose evidence is made so long after their runs ended. */
async function withNights(evidenceDelay: number, work: (of: Nights) => Promise<void>): Promise<void> {
  let ahead = 0;
  const clock = () => Date.now() + ahead;
  await using onfido = await startOnfido({
    ...{ identities: 12, plainImages: true, videoBytes: 4_000, evidenceDelay, clock },
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
  const night = async (days: number): Promise<Summary & { asked: number }> => {
    asked = 0;
    ahead += days * DAY;
    const ended = await here("export");
    assert.equal(ended.code, 0, ended.stderr);
    return { ...(ended.json as { clients: Summary[] }).clients[0]!, asked };
  };
  await work({ night, place });
}

interface Nights {
  /** A run so many days after the one before. `asked`: requests for evidence. */
  night(days: number): Promise<Summary & { asked: number }>;
  readonly place: Workplace;
}

test("evidence that the provider has not made yet is asked for each night while the applicant is open, and stored once", () =>
  withNights(1.5 * DAY, async ({ night, place }) => {
    const first = await night(0);
    assert.ok(first.withheld > 0 && first.asked > 0, `${first.withheld}`);

    const second = await night(1);
    assert.ok(second.asked > 0, "it is asked for again");
    assert.deepEqual([second.again, second.files, second.withheld], [0, 0, 0]);

    const third = await night(1);
    assert.deepEqual([third.again, third.files], [second.asked, second.asked]);
    const records = await Promise.all([...(await place.stored()).values()].map((all) => place.record(all.at(-1)!)));
    assert.deepEqual(
      records.flatMap(({ withheld }) => withheld.filter(({ reason }) => reason === "missing")),
      [],
    );

    // It is there: a glance is enough again.
    const fourth = await night(1);
    assert.deepEqual([fourth.again, fourth.asked], [0, 0]);
  }));

test("evidence that the provider does not make is asked for until three days after the applicant's last change", () =>
  withNights(1_000 * DAY, async ({ night }) => {
    await night(0);
    const asked: number[] = [];
    for (const days of [1, 1, 1.5, 1, 1]) asked.push((await night(days)).asked);
    const [waiting] = asked;
    assert.ok(waiting! > 0);
    assert.deepEqual(asked, [waiting, waiting, waiting, 0, 0]);
  }));
