import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import fc from "fast-check";
import { parseRate } from "../../../src/config/rate.ts";
import { ownStarts } from "../../../src/source/http-limits.ts";
import { lateOf, SPREAD } from "../../../src/source/rate/claim.ts";
import { Limits, limitsText } from "../../../src/source/rate/limits.ts";
import type { Answered } from "../../../src/source/rate/starts.ts";
import { Throttle } from "../../../src/source/rate/throttle.ts";
import type { RateHeaders } from "../../sandbox/faults.ts";
import { answerWith, open } from "../connect.ts";
import { Bucket, type Sent, simulate } from "./simulation.ts";

const EPOCH = 1_000_000;
const job = { concurrency: 16 };

const between = (sent: readonly Sent[], from: number, to: number) =>
  sent.filter(({ at }) => at >= EPOCH + from * 1000 && at < EPOCH + to * 1000);
const served = (sent: readonly Sent[]) => sent.filter(({ refused }) => !refused).length;

describe("the rate algorithm", () => {
  test("never exceeds the ceiling in any window, whatever the source answers", () => {
    const world = fc.record({
      count: fc.integer({ min: 1, max: 400 }),
      per: fc.constantFrom(1_000, 60_000),
      limit: fc.double({ min: 0.1, max: 600, noNaN: true }),
      noise: fc.double({ min: 0, max: 0.3, noNaN: true }),
      latency: fc.integer({ min: 0, max: 3_000 }),
      concurrency: fc.integer({ min: 1, max: 40 }),
      seed: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(world, ({ count, per, limit, noise, latency, concurrency, seed }) => {
        const bucket = new Bucket(limit);
        const sent = simulate({
          ...{ ceiling: { count, per }, jobs: [{ concurrency }], latency, seconds: per === 1_000 ? 20 : 300 },
          accept: (now) => seed.next().value! >= noise && bucket.take(now),
        });
        for (let i = count; i < sent.length; i++) {
          const window = sent[i]!.at - sent[i - count]!.at;
          assert.ok(
            window >= Math.min(per, per * SPREAD - lateOf(per)),
            `${count + 1} starts in ${window} of ${per} ms`,
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  test("without late timers and at a steady pace, no window has more than the ceiling", () => {
    const world = fc.record({
      count: fc.integer({ min: 1, max: 400 }),
      per: fc.constantFrom(1_000, 60_000),
      concurrency: fc.integer({ min: 1, max: 40 }),
      latency: fc.integer({ min: 0, max: 3_000 }),
    });
    fc.assert(
      fc.property(world, ({ count, per, concurrency, latency }) => {
        // Two minutes bring any pace to the ceiling, where it stays.
        const sent = simulate({
          ...{ ceiling: { count, per }, jobs: [{ concurrency }], latency, seconds: 180, accept: () => true },
        });
        const steady = sent.filter(({ at }) => at >= EPOCH + 120_000);
        for (let i = count; i < steady.length; i++) {
          const window = steady[i]!.at - steady[i - count]!.at;
          // The simulation's timers are in whole milliseconds, like Node's.
          assert.ok(window >= per - 1, `${count + 1} starts in ${window} of ${per} ms`);
        }
      }),
      { numRuns: 60 },
    );
  });

  for (const [ceiling, limit, burst] of [
    ["100/s", 60, 60],
    ["100/s", 60, 10],
    ["50/s", 30, 30],
    ["10/s", 9.5, 10],
    ["10/s", 6, 6],
    ["10/s", 6, 1],
    ["10/s", 2, 2],
    ["600/min", 5, 5],
  ] as const) {
    test(`${ceiling} against ${limit}/s with a burst of ${burst}: within 10 % below it, and stays`, (t) => {
      const bucket = new Bucket(limit, burst);
      const sent = simulate({
        ...{ ceiling: parseRate(ceiling), jobs: [job], latency: 50, seconds: 900, accept: (now) => bucket.take(now) },
      });
      for (let from = 120; from < 900; from += 60) {
        const share = served(between(sent, from, from + 60)) / 60 / limit;
        assert.ok(share >= 0.9 && share <= 1 + 0.02, `${share} of it in the minute from ${from} s`);
      }
      const later = between(sent, 120, 900);
      const refused = later.length - served(later);
      t.diagnostic(
        `429s: ${between(sent, 0, 120).length - served(between(sent, 0, 120))} in learning, then ${(refused / 13).toFixed(1)} a minute: ${((100 * refused) / later.length).toFixed(2)} %`,
      );
      assert.ok(refused / later.length < 0.02 && refused / 13 < 3, `${refused} of ${later.length}`);
    });
  }

  test("a source that can handle the ceiling gets it, without refusals", () => {
    const sent = simulate({ ceiling: parseRate("20/s"), jobs: [job], latency: 100, seconds: 60, accept: () => true });
    const first = between(sent, 0, 1).length;
    assert.ok(first >= 5 && first <= 7, `${first} in the first second, a quarter and what it grew by`);
    assert.ok(Math.abs(between(sent, 30, 60).length - 600 / SPREAD) <= 1);
  });

  test("it grows by the same amount each second, at any rate", () => {
    const rates: number[] = [];
    simulate({
      ...{ ceiling: parseRate("60/s"), jobs: [job], latency: 10, seconds: 10, accept: () => true },
      watch: (_, [limits]) => rates.push(limits!.view.rate),
    });
    for (let i = 1; i < rates.length; i++) {
      const grown = rates[i]! - rates[i - 1]!;
      assert.ok(Math.abs(grown - 4) < 0.5, `${grown} in a second`);
    }
  });

  test("an outage is not a limit: the rate recovers within half a minute after it", () => {
    const rates: number[] = [];
    simulate({
      ...{ ceiling: parseRate("10/s"), jobs: [job], latency: 50, seconds: 160 },
      accept: (now) => now < EPOCH + 60_000 || now > EPOCH + 120_000,
      watch: (_, [limits]) => rates.push(limits!.view.rate),
    });
    assert.equal(rates[58], 10);
    assert.equal(rates[118], 0.5, "the floor, so that its end is noticed");
    assert.ok(rates[149]! > 9, `${rates[149]} after half a minute`);
  });

  test("adapts to a limit that falls and rises again", () => {
    const bucket = new Bucket(9);
    const sent = simulate({
      ...{ ceiling: parseRate("10/s"), jobs: [job], latency: 50, seconds: 700 },
      accept: (now) => {
        bucket.rate = now > EPOCH + 120_000 && now < EPOCH + 300_000 ? 3 : 9;
        return bucket.take(now);
      },
    });
    const low = served(between(sent, 180, 300)) / 120;
    assert.ok(low > 2.7, `${low} of 3`);
    const high = served(between(sent, 480, 700)) / 220;
    assert.ok(high > 8.1, `${high} of 9`);
    assert.ok(sent.length - served(sent) < 40);
  });
});

describe("limits with a simulated clock", () => {
  const make = (rate: string) => {
    let now = EPOCH;
    const limits = new Limits(parseRate(rate), { now: () => now });
    return { limits, pass: (ms: number) => (now += ms), now: () => now };
  };

  test("halves once for all requests in flight together, and never below the floor", () => {
    const { limits, pass, now } = make("10/s");
    const begun = now();
    pass(100);
    for (let i = 0; i < 8; i++) limits.refused(begun);
    assert.equal(limits.view.rate, 1.25);
    assert.equal(limits.view.refusals, 8);
    for (let i = 0; i < 8; i++) {
      const later = pass(100);
      pass(50);
      limits.refused(later);
    }
    assert.equal(limits.view.rate, 0.5);
  });

  test("what headers leave is spread over the time until the reset, less the requests in flight", () => {
    const { limits, pass, now } = make("10/s");
    limits.heed({ remaining: 12, window: 10_000 }, 2);
    assert.equal(limits.view.rate, 1);
    assert.equal(limits.claim(now()), undefined);
    assert.equal(limits.claim(now())?.ms, 1_000 * SPREAD);
    pass(9_900);
    assert.equal(limits.claim(now()), undefined);
    // The window ends before the second is over, and with it the pace.
    assert.equal(limits.claim(now())?.ms, 400 * SPREAD);
    limits.heed({ remaining: 1_000_000, window: 1_000 }, 0);
    assert.ok(limits.view.rate <= 10);
  });

  test("what headers leave is never faster than the rate itself: it has the same room", () => {
    const { limits, pass, now } = make("300/min");
    pass(12_345);
    const { rate } = limits.view;
    assert.equal(limits.claim(now()), undefined);
    // A little less than the rate, as a provider's own limit leaves it in the middle of a window.
    limits.heed({ remaining: Math.floor(rate * 600 * 0.998), window: 600_000 }, 0);
    assert.ok(limits.view.rate < rate && limits.view.rate > rate / SPREAD);
    const { ms } = limits.claim(now())!;
    assert.ok(ms >= (1000 * SPREAD) / rate, `${ms} ms`);
  });

  test("nothing left means silence until the reset, at most five minutes; then one request tries again", () => {
    const { limits, pass, now } = make("10/s");
    limits.claim(now());
    limits.heed({ remaining: 0, window: 30_000 }, 3);
    limits.heed({ remaining: 0, window: 30_000 }, 2);
    assert.deepEqual(limits.claim(now()), { ms: 30_000, silent: true });
    assert.equal(limits.view.silences, 1);
    pass(30_000);
    limits.heed({ remaining: 0, window: 86_400_000 }, 0);
    assert.deepEqual(limits.claim(now()), { ms: 300_000, silent: true });
    pass(300_000);
    assert.equal(limits.claim(now()), undefined);
    assert.deepEqual(limits.claim(now()), { ms: 300_000, silent: false });
    assert.equal(limits.view.silences, 2);
  });

  test("no burst after a pause, and a slow start after a long one", () => {
    const { limits, pass, now } = make("10/s");
    for (let i = 0; i < 400; i++) {
      assert.equal(limits.claim(now()), undefined);
      limits.good();
      pass((SPREAD * 1000) / limits.view.rate);
    }
    limits.claim(now());
    assert.equal(limits.view.rate, 10);
    pass(5_000);
    assert.equal(limits.claim(now()), undefined);
    assert.ok(Math.abs(limits.claim(now())!.ms - 100 * SPREAD) < 1e-6);
    pass(601_000);
    limits.claim(now());
    assert.equal(limits.view.rate, 2.5);
  });

  test("if the clock is set back, planned times move with it", () => {
    const { limits, pass, now } = make("10/s");
    limits.claim(now());
    limits.silence(4_000);
    pass(1_000);
    assert.equal(limits.claim(now())?.ms, 3_000);
    pass(-3_600_000);
    assert.equal(limits.claim(now())?.ms, 3_000);
    pass(3_000);
    assert.equal(limits.claim(now()), undefined);
  });

  test("text for people", () => {
    const text = (rate: string, part: object) => limitsText({ ...make(rate).limits.view, ...part });
    assert.equal(text("10/s", {}), "2.5 of 10 requests/s");
    assert.equal(text("10/s", { rate: 8.5321 }), "8.5 of 10 requests/s");
    assert.equal(text("600/min", { rate: 10 }), "600 of 600 requests/min");
    assert.equal(text("1000/h", {}), "1000 of 1000 requests/h");
    assert.equal(
      text("10/s", { rate: 5, refusals: 1, silent: 1_200 }),
      "5 of 10 requests/s, 1 refusal, silent for 2 s",
    );
    assert.equal(text("10/s", { refusals: 2 }), "2.5 of 10 requests/s, 2 refusals");
  });
});

test("429, and 503 with a Retry-After, lower the rate; good answers to requests that waited raise it", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const throttle = new Throttle(ownStarts({ rate: parseRate("10/s") }), 8);
    const ask = (status: number, headers = {}) =>
      throttle.run(async (answered: Answered) => answered({ status, headers }));
    const pass = async (ms: number) => {
      for (let i = 0; i < 10; i++) await Promise.resolve();
      mock.timers.tick(ms);
    };
    // One after the other with a pause, so that none waits for a start.
    for (const status of [200, 404, 500, 503, 408, 302]) {
      await ask(status);
      await pass(404);
    }
    await ask(200);
    assert.equal(throttle.limits.rate, 2.5);
    const two = [ask(200), ask(200)];
    await pass(404);
    await pass(404);
    await Promise.all(two);
    await pass(404);
    await ask(200);
    assert.ok(throttle.limits.rate > 2.5);
    const { rate } = throttle.limits;
    await pass(1_000);
    await ask(503, { "retry-after": "0" });
    assert.equal(throttle.limits.rate, rate / 2);
    await pass(1_000);
    await ask(429);
    assert.equal(throttle.limits.rate, rate / 4);
    await pass(2_000);
    await ask(200, { ratelimit: '"d";r=0;t=7' });
    assert.equal(throttle.limits.silent, 7_000);
    assert.equal(throttle.limits.refusals, 2);
    throttle.close();
  } finally {
    mock.timers.reset();
  }
});

describe("against a real server with a limit below the ceiling", { concurrency: true }, () => {
  test("it learns the limit from refusals, and is then hardly refused", async (t) => {
    const { sandbox, source } = await open(t, {}, { rate: parseRate("100/s"), concurrency: 6, retry: patient });
    // On a busy machine requests arrive in small bursts.
    const bucket = new Bucket(30, 8);
    const refused: number[] = [];
    const begun = performance.now();
    const rates: number[] = [];
    const times = answerWith(sandbox, (response) => {
      const now = performance.now();
      if (now - begun > 3_000) rates.push(source.limits.rate);
      if (bucket.take(now)) return false;
      refused.push(now - begun);
      response.writeHead(429, { "Retry-After": "0" }).end();
      return true;
    });
    await keepAsking(source.project.bind(source), 7_000);
    const late = times.filter((time) => time - begun > 3_000).length / 4;
    t.diagnostic(`${refused.length} of ${times.length} refused, at ${refused.map(Math.round).join(" and ")} ms`);
    t.diagnostic(`then ${late.toFixed(1)}/s of the server's 30/s: ${limitsText(source.limits)}`);
    assert.ok(refused.length <= 8, `${refused.length} of ${times.length}`);
    assert.ok(late < 33, `${late}/s`);
    // How many it sends is also this machine's matter; how many it would send is not.
    assert.ok(mean(rates) > 15, `${mean(rates)}/s`);
  });

  for (const rateHeaders of ["draft-8", "draft-7", "draft-6", "x-seconds", "x-epoch"] satisfies RateHeaders[]) {
    test(`${rateHeaders} headers keep it below the limit from the first answer on: no refusal`, async (t) => {
      const options = { rate: parseRate("300/s"), concurrency: 6 };
      const { sandbox, source } = await open(t, { rate: 20, rateHeaders }, options);
      const rates: number[] = [];
      await keepAsking(async () => {
        await source.project();
        rates.push(source.limits.rate);
      }, 4_000);
      assert.equal(sandbox.requests.of("settings", 429), 0);
      const sent = sandbox.requests.of("settings", 200) / 4;
      t.diagnostic(`${sent}/s of the server's 20/s, at ${mean(rates)}/s`);
      assert.ok(sent < 26, `${sent}/s`);
      assert.ok(mean(rates) > 5, `${mean(rates)}/s`);
    });
  }
});

const mean = (rates: readonly number[]): number => rates.reduce((sum, rate) => sum + rate, 0) / rates.length;

const patient = { retries: 20, minDelay: 1, maxDelay: 4, maxRetryAfter: 2_000 };

/** Like a job: six in parallel, each starting the next request as soon as it has its answer. */
async function keepAsking(ask: () => Promise<unknown>, ms: number): Promise<void> {
  const end = performance.now() + ms;
  const one = async (): Promise<void> => {
    while (performance.now() < end) await ask();
  };
  await Promise.all(Array.from({ length: 6 }, one));
}
