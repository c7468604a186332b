import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../sandbox/random.ts";
import { startSandbox } from "../sandbox/server.ts";
import { later, makeStrictPlace } from "./place.ts";

const IDENTITIES = 120;
/** Percentage of requests to the store that fail. */
const FAILING = 10;
const RUNS = 10;

test("everything at once: after a few runs everything is kept, and nothing twice", async () => {
  await using sandbox = await startSandbox({
    ...{ identities: IDENTITIES, plainImages: true, fail: 20, truncate: 10, slow: 1, retryAfter: 0 },
  });
  await using strict = await makeStrictPlace(sandbox);
  const { place, s3 } = strict;
  const random = new Random(7, 1);
  s3.intercept((request, response) => {
    if (!random.chance(FAILING)) return false;
    const how = random.pick(["reset", 500, 503] as const);
    if (how === "reset") {
      request.socket.resetAndDestroy();
      return true;
    }
    request.resume();
    response.writeHead(how, { "Content-Type": "application/xml" });
    response.end(`<Error><Code>${how === 503 ? "SlowDown" : "InternalError"}</Code></Error>`);
    return true;
  });
  const exits: number[] = [];
  do {
    // By then a lease that could not be released has expired.
    const now = () => later().add({ minutes: 20 * exits.length });
    exits.push((await place.export({ now })).exit);
    assert.ok(exits.length <= RUNS, `exit codes ${exits}`);
  } while (exits.at(-1) !== 0);
  assert.ok(
    exits.every((exit) => [0, 1, 3].includes(exit)),
    `exit codes ${exits}`,
  );

  s3.intercept(() => false);
  await place.isWhole(IDENTITIES, () => later().add({ hours: 5 }));
  for (const entry of await place.work.entries("record.stored")) assert.equal(entry.withheld, 0);
  sandbox.setFaults({ fail: 0, truncate: 0, slow: 0 });
  const now = () => later().add({ hours: 6 });
  assert.equal((await place.completes(IDENTITIES, now)).unchanged, IDENTITIES);
});
