import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { inTurn, locksQueue } from "../../src/retention/in-turn.ts";
import { withoutCeph } from "../servers/s3.ts";
import { FAST, makeScene, retainedUntil } from "./scene.ts";

describe("the nightly extension above the size for bulk", { skip: withoutCeph }, () => {
  test("says how to do it in bulk, and begins all the same, at the configured rate; interrupted, what it locked is logged", async () => {
    await using scene = await makeScene();
    const { place } = scene;
    // Two locks an hour: the third would have to wait for it.
    await place.configure({ vault: { lockRate: "2/h" } });
    const run = place.start("export");
    const advice = await run.logged(({ level, msg }) => level === "warn" && /end soon/.test(String(msg)));
    assert.match(String(advice.msg), /`holdfast retention extend --plan` says how to do it in bulk/);
    const due = async (): Promise<boolean> => {
      const { log, head } = await place.log();
      const keys: string[] = [];
      for await (const { bytes } of log.entries(0, head.size)) {
        const entry = JSON.parse(Buffer.from(bytes).toString("utf8")) as {
          type: string;
          object: { key: string; versionId: string };
        };
        if (entry.type === "record.stored")
          keys.push(await retainedUntil(place, entry.object.key, entry.object.versionId));
      }
      return keys.filter((until) => Date.parse(until) - Date.now() > 6_600_000).length >= 1;
    };
    while (!(await due()));
    run.kill("SIGTERM");
    const ended = await run.ended;
    assert.equal(ended.code, 130, ended.stderr);
    const logged = (await place.entries("lock.extended")).flatMap(({ objects }) => objects);
    assert.ok(logged.length === 1 || logged.length === 2, `${logged.length}`);
    // The next run extends the rest.
    await place.configure({ vault: FAST });
    const [rest] = await place.expect<{ objects: number; failed: number }>(0, "retention", "extend");
    assert.ok(rest!.objects > 4);
    assert.equal((await place.expect<{ problems: number }>(0, "verify"))[0]!.problems, 0);
  });
});

test("never more locks in any period than configured", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  try {
    const vault = { lockRate: { count: 5, per: 1_000 }, concurrency: 16 };
    const queue = locksQueue({ vault } as unknown as Parameters<typeof locksQueue>[0]);
    const begun: number[] = [];
    const work = async (): Promise<void> => void begun.push(Date.now());
    const { signal } = new AbortController();
    const done = Promise.all(Array.from({ length: 23 }, () => inTurn(queue, signal, work)));
    for (let step = 0; begun.length < 23 && step < 200; step++) {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      mock.timers.tick(50);
    }
    await done;
    for (const from of begun) assert.ok(begun.filter((at) => at >= from && at < from + 1_000).length <= 5, `${begun}`);
    assert.ok(begun.at(-1)! - begun[0]! <= 5_000, "and not much slower");
  } finally {
    mock.timers.reset();
  }
});

test("interrupted: what has begun is finished and counts, what waits is left", async () => {
  const vault = { lockRate: { count: 1, per: 3_600_000 }, concurrency: 16 };
  const queue = locksQueue({ vault } as unknown as Parameters<typeof locksQueue>[0]);
  const controller = new AbortController();
  let finish: (value: string) => void = () => {};
  const first = inTurn(queue, controller.signal, () => new Promise<string>((resolve) => (finish = resolve)));
  const second = inTurn(queue, controller.signal, async () => "never");
  await new Promise((resolve) => setImmediate(resolve));
  controller.abort(new Error("stop"));
  assert.equal(await second, "later");
  finish("done");
  assert.equal(await first, "done");
});
