import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { type FaultPlace, later, makePlace, makeStrictPlace } from "../faults/place.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

/** The machine's clock, which jumps at the request for identity number `at`. */
function jumping(sandbox: Sandbox, jump: Temporal.DurationLike, at = 35): Clock {
  let requests = 0;
  let jumped = false;
  sandbox.intercept((request) => {
    if (/\/identities\/./.test(request.url!) && ++requests === at) jumped = true;
    return false;
  });
  const hours = Temporal.Duration.from(jump).total({ unit: "hours", relativeTo: "2026-01-01" });
  return () => (jumped ? systemClock().add({ hours: Math.round(hours) }) : systemClock());
}

async function locks(place: FaultPlace): Promise<number[]> {
  const vault = await place.work.vault();
  const stored = await place.work.entries("record.stored");
  const infos = await Promise.all(stored.map(({ object }) => vault.head(object.key, object.versionId)));
  return infos.map(({ lock }) => lock!.until.since(systemClock()).total("days"));
}

const vaults: Readonly<Record<string, (sandbox: Sandbox) => Promise<{ place: FaultPlace } & AsyncDisposable>>> = {
  directory: async (sandbox) => {
    const place = await makePlace(sandbox);
    return { place, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
  },
  "strict S3": makeStrictPlace,
};

for (const [kind, make] of Object.entries(vaults)) {
  describe(kind, { concurrency: 2 }, () => {
    for (const jump of [{ hours: 1 }, { years: 3 }] as const) {
      test(`ahead by ${JSON.stringify(jump)}, or a sleep that long: the lease has expired, and the run stops safely`, async () => {
        await using sandbox = await startSandbox({ identities: 40, files: false });
        await using opened = await make(sandbox);
        const { place } = opened;
        const ended = await place.export({ now: jumping(sandbox, jump) });
        assert.deepEqual([ended.exit, ended.code], [5, "busy"]);
        sandbox.intercept(undefined);
        await place.isWhole(undefined, systemClock);
        const summary = await place.completes(40);
        // Earlier work is recovered from the journal and not done again.
        assert.ok(summary.unchanged > 0, "the journal was recovered");
        for (const days of await locks(place)) assert.ok(days > 89 && days < 91, `${days} days`);
      });
    }

    for (const jump of [{ hours: -1 }, { years: -3 }] as const) {
      test(`back by ${JSON.stringify(jump)}: the run continues on elapsed time`, async () => {
        await using sandbox = await startSandbox({ identities: 40, files: false });
        await using opened = await make(sandbox);
        const { place } = opened;
        const ended = await place.export({ now: jumping(sandbox, jump) });
        assert.deepEqual([ended.exit, ended.summary?.new], [0, 40]);
        for (const days of await locks(place)) assert.ok(days > 89 && days < 91, `${days} days`);
        const times = (await place.work.entries()).map(({ time }) => time);
        assert.deepEqual(times, times.toSorted());
        sandbox.intercept(undefined);
        await place.completes(40, systemClock);
      });
    }

    test("another machine, with a clock an hour ahead, takes the lease: never two histories", async () => {
      await using sandbox = await startSandbox({ identities: 30, files: false });
      await using opened = await make(sandbox);
      const { place } = opened;
      const asked = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      let requests = 0;
      sandbox.intercept((request, response) => {
        if (!/\/identities\/./.test(request.url!) || ++requests !== 12) return false;
        asked.resolve();
        // The identity was deleted meanwhile: nothing to store, only to log.
        void release.promise.then(() => response.writeHead(404).end("{}"));
        return true;
      });
      const held = place.export();
      assert.equal(await Promise.race([asked.promise, held]), undefined);
      place.work.config.state = "./elsewhere";
      await place.work.configure();
      const other = await place.export({ now: () => systemClock().add({ hours: 1 }) });
      release.resolve();
      const first = await held;
      assert.equal(other.exit, 0);
      // It notices the other machine before it writes to the log.
      assert.ok(first.exit === 4 || first.exit === 5, `${first.exit}`);
      sandbox.intercept(undefined);
      await place.completes(30, () => later().add({ hours: 2 }));
    });
  });
}
