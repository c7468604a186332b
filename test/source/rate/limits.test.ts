import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, mock, test } from "node:test";
import { parseRate } from "../../../src/config/rate.ts";
import { ownStarts } from "../../../src/source/http-limits.ts";
import { Throttle } from "../../../src/source/rate/throttle.ts";
import { first } from "../../sandbox/ask.ts";
import { answerWith, collect, open, quick, refusal } from "../connect.ts";

/** How early timers may be. */
const EARLY = 2;

const busy = (response: ServerResponse, retryAfter: string): true => {
  response.writeHead(429, { "Retry-After": retryAfter }).end();
  return true;
};

describe("a silence requested by the provider", { concurrency: true }, () => {
  test("Retry-After in seconds: no request starts before its end", async (t) => {
    const told = Promise.withResolvers<unknown>();
    const { sandbox, source } = await open(t, {}, { onRetry: told.resolve });
    const times = answerWith(sandbox, (response, count) => count === 1 && busy(response, "1"));
    const asked = source.project();
    await told.promise;
    await Promise.all([asked, source.project()]);
    assert.equal(times.length, 3);
    for (const time of times.slice(1)) assert.ok(time - times[0]! >= 1_000 - EARLY, `${time - times[0]!}`);
  });

  test("Retry-After as an HTTP date is kept, by the client's clock", async (t) => {
    const { sandbox, source } = await open(t);
    let until = 0;
    const times = answerWith(sandbox, (response, count) => {
      if (count > 1) return false;
      until = Math.ceil((Date.now() + 100) / 1_000) * 1_000;
      return busy(response, new Date(until).toUTCString());
    });
    await source.project();
    assert.equal(times.length, 2);
    assert.ok(performance.timeOrigin + times[1]! >= until - EARLY);
  });

  test("a file counts as in flight to its last byte: nothing behind it escapes a silence", async (t) => {
    const { sandbox, source } = await open(t, { videoBytes: 5_000_000 }, { concurrency: 2 });
    const index = first(sandbox, (i) => sandbox.resources(i).length > 0);
    const id = sandbox.ids()[index]!;
    const video = (await source.dossier(id, { full: true })).files.find(({ type }) => type === "face_video")!;
    const file = await source.file(id, video);
    const times = answerWith(sandbox, (response, count) => count === 1 && busy(response, "1"));
    const asked = [source.project(), source.project(), source.project()];
    while (times.length === 0) await new Promise(setImmediate);
    await collect(file.bytes);
    await Promise.all(asked);
    assert.equal(times.length, 4);
    for (const time of times.slice(1)) assert.ok(time - times[0]! >= 1_000 - EARLY, `${time - times[0]!}`);
  });
});

test("a Retry-After that is too long fails at once", async (t) => {
  const { sandbox, source } = await open(t);
  for (const header of ["3", "300", "99999999999", new Date(Date.now() + 60_000).toUTCString()]) {
    const times = answerWith(sandbox, (response) => busy(response, header));
    const error = await refusal(sandbox, source.project(), "source-unavailable");
    assert.ok(error.retryAfter! > 2_000);
    assert.equal(times.length, 1, header);
  }
  // Other requests do not wait for it.
  sandbox.intercept(undefined);
  await source.project();
});

test("an interruption ends a silence for all waiting requests, and those in flight finish", async (t) => {
  const stop = new AbortController();
  const told = Promise.withResolvers<unknown>();
  const retry = { ...quick, maxRetryAfter: 60_000 };
  const options = { concurrency: 2, signal: stop.signal, onRetry: told.resolve, retry };
  const { sandbox, source } = await open(t, {}, options);
  let held: ServerResponse | undefined;
  const times = answerWith(sandbox, (response, count) => {
    if (count > 1) return busy(response, "60");
    held = response;
    return true;
  });
  const underWay = source.dossier(sandbox.ids()[0]!, { full: false });
  while (times.length < 1) await new Promise(setImmediate);
  const waiting = Array.from({ length: 4 }, () => refusal(sandbox, source.project(), "interrupted"));
  await told.promise;
  const begun = performance.now();
  stop.abort();
  await Promise.all(waiting);
  await refusal(sandbox, source.project(), "interrupted");
  held!.writeHead(200).end(sandbox.text(0));
  assert.equal((await underWay).answers[0]!.text, sandbox.text(0));
  assert.ok(performance.now() - begun < 50_000);
  assert.equal(times.length, 2);
});

test("requests that wait when the source is closed get an error", async (t) => {
  const { sandbox, source } = await open(t, {}, { rate: { count: 1, per: 60_000 } });
  await source.project();
  const waiting = refusal(sandbox, source.project(), "interrupted");
  await source.close();
  await waiting;
});

test("the rate is kept, and starts are spread over the second", async (t) => {
  const { sandbox, source } = await open(t, { rate: 60 }, { rate: parseRate("50/s"), concurrency: 30 });
  const times = answerWith(sandbox, () => false);
  await Promise.all(Array.from({ length: 30 }, () => source.project()));
  assert.equal(sandbox.requests.of("settings", 200), 30, "none was refused");
  assert.ok(times.at(-1)! - times[0]! >= 500, `${times.at(-1)! - times[0]!}`);
  const inFirstFifth = times.filter((time) => time - times[0]! < 100).length;
  assert.ok(inFirstFifth <= 12, `${inFirstFifth} in 100 ms`);
});

test("never more requests in flight than configured, including files", async (t) => {
  for (const concurrency of [1, 3]) {
    const { sandbox, source } = await open(t, { identities: 6, slow: 2, videoBytes: 300_000 }, { concurrency });
    const fetchAll = async (id: string) => {
      await source.dossier(id, { full: false });
      for (const file of (await source.dossier(id, { full: true })).files)
        await collect((await source.file(id, file)).bytes);
    };
    await Promise.all(sandbox.ids().map(fetchAll));
    assert.equal(sandbox.requests.peak, concurrency);
  }
});

test("slow rates are kept too: per minute and per hour", async () => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  try {
    for (const [text, gap] of [
      ["10/min", 6_060],
      ["1000/h", 3_636],
    ] as const) {
      const throttle = new Throttle(ownStarts({ rate: parseRate(text) }), 4);
      let started = 0;
      const all = Array.from({ length: 5 }, () => throttle.run(async () => void started++));
      for (let expected = 1; expected <= 5; expected++) {
        await new Promise(setImmediate);
        assert.equal(started, expected, text);
        mock.timers.tick(gap - 1);
        await new Promise(setImmediate);
        assert.equal(started, expected, text);
        mock.timers.tick(1);
      }
      await Promise.all(all);
      throttle.close();
    }
  } finally {
    mock.timers.reset();
  }
});
