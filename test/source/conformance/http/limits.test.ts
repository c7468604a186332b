import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import { changed, everyFile, walk, withFiles } from "../reading.ts";
import { askedOf, calling } from "./calling.ts";
import { httpConformance } from "./conform.ts";
import * as the from "./faults.ts";

/** What a source takes from the provider and from this machine, and that it gives it back. */
httpConformance((conforms, { can }) => {
  const asked = askedOf(can);

  conforms("counts every request, on every host, attempts that failed too", { people: 12 }, async (place) => {
    const { stage, source, traffic } = place;
    assert.equal(source.requests, 0);
    traffic.strike((_, path) => path !== "", the.status(503), { from: 3, times: 2 });
    await source.project();
    if (can.list) await walk(source);
    if (can.changes) await changed(source, stage.now());
    await everyFile(source, stage, 12);
    assert.equal(source.requests, traffic.count());
    assert.ok(source.requests > 30);
  });

  for (const where of ["identity", "file"] as const) {
    conforms(
      `sends no more requests for the ${where} at once than it may`,
      { opening: { concurrency: 2 } },
      async (place) => {
        const { stage, source, traffic } = place;
        const call = calling(source, stage, await withFiles(stage))[where];
        const waiting: ServerResponse[] = [];
        traffic.strike(where, (response) => waiting.push(response));
        let left = 8;
        for (const each of Array.from({ length: left }, () => call().catch(() => {}))) void each.then(() => left--);
        let peak = 0;
        while (left > 0) {
          // Enough turns for one more request to arrive, if it were sent.
          for (let turn = 0; turn < 200; turn++) await setImmediate();
          peak = Math.max(peak, waiting.length);
          waiting.shift()?.writeHead(404).end();
        }
        // Where an endpoint has a limit of its own, the second may start only after the first has ended.
        assert.ok(peak === 1 || peak === 2, `${peak} at once`);
      },
    );
  }

  conforms(
    "keeps to its rate, and says it",
    {
      opening: { rate: { count: 20, per: 1_000 } },
    },
    async ({ stage, source, traffic }) => {
      const times: number[] = [];
      traffic.strike((_, path) => {
        times.push(performance.now());
        return path === "";
      }, the.stall);
      assert.equal(source.limits.ceiling, 20);
      const ids = Array.from({ length: 8 }, (_, index) => stage.id(index));
      const calls = [...ids, ...ids, ...ids, ...ids].map((id) => source.dossier(id, { full: false }));
      await Promise.all(calls);
      const [first, last] = [times[0]!, times.at(-1)!];
      // A burst may begin it, and the rest comes at the rate.
      assert.ok(times.length <= 20 + ((last - first) / 1000) * 20 + 2, `${times.length} in ${last - first} ms`);
      assert.ok(last - first > 300, `all ${times.length} within ${last - first} ms`);
    },
  );

  for (const where of asked) {
    conforms(`ends a call that waits for the ${where} when it is closed`, async ({ stage, open, traffic }) => {
      const source = open({ retry: { retries: 9, minDelay: 60_000, maxDelay: 60_000, maxRetryAfter: 0 } });
      const call = calling(source, stage, await withFiles(stage))[where]();
      const ended = call.then(
        () => "fulfilled",
        () => "rejected",
      );
      traffic.strike(where, the.stall);
      while (traffic.count(where) === 0 && (await Promise.race([ended, setImmediate("waits")])) === "waits");
      await source.close();
      assert.equal(await Promise.race([ended, later(60_000)]), "rejected", "the call goes on");
    });
  }

  conforms("starts nothing once it is closed", async ({ stage, open, traffic }) => {
    const source = open();
    await source.close();
    const calls = calling(source, stage, 0);
    for (const where of asked) {
      const outcome = await Promise.race([
        calls[where]().then(
          () => "fulfilled",
          () => "rejected",
        ),
        later(60_000),
      ]);
      assert.equal(outcome, "rejected", where);
    }
    assert.equal(traffic.count(), 0);
  });
  // One at a time: the resources of this process are counted.
}, 1);

const later = (ms: number): Promise<string> =>
  new Promise((resolve) => setTimeout(resolve, ms, "nothing happened").unref());
