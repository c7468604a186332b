import assert from "node:assert/strict";
import { everything, listed } from "../reading.ts";
import { httpConformance } from "./conform.ts";
import * as the from "./faults.ts";

const PEOPLE = 24;
const FAULTS: readonly the.Fault[] = [
  the.status(500),
  the.status(429, { "Retry-After": "0" }),
  the.reset,
  the.status(503),
  the.endsEarly,
  the.status(429),
  the.chunkedCut,
  the.noHttp,
];

/** A night as it is: a provider that fails now and then. */
httpConformance((conforms, { can }) => {
  const RETRY = { retries: 12, minDelay: 1, maxDelay: 8, maxRetryAfter: 2_000 };
  const opening = { concurrency: 8, retry: RETRY };

  conforms("finds the same when every fifth request fails", { people: PEOPLE, opening }, async (place) => {
    const { stage, source, open, traffic } = place;
    const calm: unknown[] = [];
    for (let index = 0; index < PEOPLE; index++) calm.push(await everything(source, stage, index));
    let count = 0;
    traffic.strike(
      () => ++count % 5 === 0,
      (...given) => FAULTS[((count / 5) % FAULTS.length) | 0]!(...given),
    );
    const other = open();
    if (can.list) assert.deepEqual(new Set((await listed(other)).keys()), new Set(stage.ids()));
    const found = await Promise.all(Array.from({ length: PEOPLE }, (_, index) => everything(other, stage, index)));
    assert.deepEqual(found, calm);
    assert.ok(count > 100, `only ${count} requests`);
  });
});
