import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { parseRate } from "../../../src/config/rate.ts";
import { Limits } from "../../../src/source/rate/limits.ts";
import { SharedLimits } from "../../../src/source/rate/shared-limits.ts";
import { OwnStarts } from "../../../src/source/rate/starts.ts";
import { CLIENT, makeWorkplace } from "../../export/workplace.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { answerWith, open, refusal } from "../connect.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

/** What a provider says in each answer, and for how long it forbids requests. */
const STALLS: Readonly<Record<string, (limits: Limits) => void>> = {
  "none left for a day": (limits) => limits.heed({ remaining: 0, window: DAY }, 0),
  "none left for five minutes": (limits) => limits.heed({ remaining: 0, window: 5 * MINUTE }, 0),
  "one left for a day": (limits) => limits.heed({ remaining: 1, window: DAY }, 0),
  "Retry-After of five minutes": (limits) => limits.silence(5 * MINUTE),
};

describe("headers do not delay a run for more than an hour in total", () => {
  for (const [what, say] of Object.entries(STALLS)) {
    test(`${what}, in each of 1,000 answers`, () => {
      const begun = 1_800_000_000_000;
      let now = begun;
      const limits = new Limits(parseRate("10/s"), { now: () => now });
      let longest = 0;
      for (let answers = 0; answers < 1_000; answers++) {
        for (let wait = limits.claim(now); wait; wait = limits.claim(now)) {
          longest = Math.max(longest, wait.ms);
          now += wait.ms;
        }
        now += 10;
        say(limits);
      }
      assert.ok(longest <= 5 * MINUTE, String(longest));
      const minutes = (now - begun) / MINUTE;
      // The hour, and 1,000 requests at the slowest rate that refusals cause.
      assert.ok(minutes > 55 && minutes < 60 + 5 + 1_000 / 0.5 / 60, String(minutes));
    });
  }
});

test("over HTTP, after that hour: a good answer delays nothing, and a refused request fails at once", async (t) => {
  let ahead = 0;
  const limits = new Limits(parseRate("1000/s"), { now: () => Date.now() + ahead });
  for (let minutes = 0; minutes <= 60; minutes += 5) {
    limits.silence(5 * MINUTE);
    ahead += 5 * MINUTE;
  }
  const { sandbox, source } = await open(t, { identities: 3 }, { starts: new OwnStarts(limits) });
  const [id] = sandbox.ids();
  const stalling = answerWith(sandbox, (response) => {
    response.setHeader("ratelimit", '"default";r=0;t=86400');
    return false;
  });
  await source.dossier(id!, { full: false });
  await source.dossier(id!, { full: false });
  assert.equal(stalling.length, 2);
  const refused = answerWith(sandbox, (response) => Boolean(response.writeHead(429, { "Retry-After": "200" }).end()));
  await refusal(sandbox, source.dossier(id!, { full: false }), "source-unavailable");
  assert.equal(refused.length, 1);
});

test("a state file with any content delays requests by at most five minutes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-limits-"));
  const path = join(folder, "limits.sqlite");
  const now = Date.now();
  try {
    new Limits(parseRate("10/s"), { store: new SharedLimits(path) }).close();
    const first = new SharedLimits(path);
    new Limits(parseRate("10/s"), { store: first }).claim(now);
    first.close();
    for (const [column, value] of [
      ["silentUntil", now + DAY],
      ["toldUntil", now + DAY],
      ["last", now + DAY],
      ["told", 1e-9],
      ["highUntil", now + DAY],
      ["lowLast", now + DAY],
      ["rate", 1e-9],
    ] as const) {
      const db = new DatabaseSync(path);
      db.exec(`UPDATE limits_2 SET toldUntil = ${now + DAY}, told = 1e-9, silentUntil = 0, seen = ${now}`);
      db.exec(`UPDATE limits_2 SET ${column} = ${value}`);
      db.close();
      for (const priority of ["high", "low"] as const) {
        const store = new SharedLimits(path);
        let at = now;
        const limits = new Limits(parseRate("10/s"), { store, priority, now: () => at });
        for (let wait = limits.claim(now); wait; wait = limits.claim(now)) at += wait.ms;
        store.close();
        assert.ok(at - now <= 5 * MINUTE + 1_000, `${column}, ${priority}: ${at - now}`);
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a real run says until when it waits, and why; so does the next one; a signal stops it", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  sandbox.intercept((_, response) => {
    response.setHeader("ratelimit", '"default";r=0;t=86400');
    return false;
  });
  for (const why of [/rate-limit headers/, /an earlier answer/]) {
    const running = place.start("export");
    const line = await running.logged(({ msg }) => String(msg).startsWith("the source asked to wait"));
    assert.equal(line.client, CLIENT);
    assert.match(String(line.error), why);
    const minutes = Temporal.Instant.from(String(line.due)).since(Temporal.Now.instant()).total("minutes");
    assert.ok(minutes > 1 && minutes <= 5, String(minutes));
    running.kill("SIGTERM");
    assert.equal((await running.ended).code, 130);
  }
});
