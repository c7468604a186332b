import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { CLIENT, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { withoutRedis } from "../servers/redis.ts";
import { withoutCeph } from "../servers/s3.ts";
import { Team } from "./team.ts";

/** Resolves at the request that makes `count` identities requested. */
function askedFor(sandbox: Sandbox, count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  sandbox.intercept(() => {
    if (sandbox.requests.of("identity") >= count) resolve();
    return false;
  });
  return promise;
}

/** Holds back the answers for identities, after so many. Resolves once `count` are held; `release` has all asked again. */
function heldAnswers(sandbox: Sandbox, count: number, after = 0): { held: Promise<void>; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting: ServerResponse[] = [];
  let asked = 0;
  sandbox.intercept((request, response) => {
    if (!/\/identities\/[^/?]+$/.test(request.url!) || ++asked <= after) return false;
    waiting.push(response);
    if (waiting.length === count) resolve();
    return true;
  });
  const release = (): void => {
    sandbox.intercept(undefined);
    for (const response of waiting.splice(0)) response.writeHead(503, { "Retry-After": "0" }).end();
  };
  return { held: promise, release };
}

/** Whether a running coordinator has logged anyone: its journal has it, or the log already. */
async function hasLogged(place: Workplace): Promise<boolean> {
  const folder = place.path("state", CLIENT, "journal");
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8").catch(() => "")));
  return texts.some((text) => text.includes("record.stored")) || (await place.entries("record.stored")).length > 0;
}

// Most of the time is waiting: until a crashed worker counts as dead, and for a Redis that does not answer.
describe("a backfill on many machines", { skip: withoutRedis, concurrency: 4 }, () => {
  for (const vault of ["directory", "ceph"] as const) {
    test(`${vault}: two workers do the work, the coordinator logs it, and all exit`, {
      skip: vault === "ceph" && withoutCeph,
    }, async () => {
      await using sandbox = await startSandbox({ identities: 60, plainImages: true, slow: 5 });
      await using team = await Team.make(sandbox, { vault, keeps: true });
      // One worker alone has eight requests under way.
      const { held, release } = heldAnswers(sandbox, 9);
      const coordinator = team.coordinate();
      const workers = [team.work(), team.work()];
      await held;
      release();
      const summary = await team.summary(coordinator);
      assert.deepEqual([summary.new, summary.failed], [60, 0]);
      // Requests for the time only have no key.
      const answered = sandbox.requests.total - sandbox.requests.of(undefined, 401);
      assert.ok(summary.requests >= answered + 9 && summary.requests <= answered + 16, `${summary.requests}`);
      let done = 0;
      for (const worker of workers) {
        const ended = await worker.ended;
        assert.equal(ended.code, 0, ended.stderr);
        const [{ new: fresh }] = (ended.json as { clients: [{ new: number }] }).clients;
        assert.ok(fresh > 0, "both did some of it");
        done += fresh;
      }
      assert.equal(done, 60);
      await team.assertAllOnce(sandbox);
      const history = team.redis.history();
      assert.ok(history.includes(await team.place.subject(sandbox.ids()[0]!)), "subjects pass through Redis");
      for (const canary of sandbox.canaries()) assert.ok(!history.includes(canary), `${canary} went through Redis`);
      assert.equal((await team.place.export()).unchanged, 60);
    });
  }

  test("changed and deleted identities: in a second backfill, workers know what is kept", async () => {
    await using sandbox = await startSandbox({ identities: 30, plainImages: true });
    await using team = await Team.make(sandbox);
    await team.place.export();
    sandbox.change([0, 1, 2, 3, 4, 5, 6, 7]);
    sandbox.redact([20]);
    sandbox.requests.clear();
    const coordinator = team.coordinate();
    team.work();
    const summary = await team.summary(coordinator);
    assert.deepEqual([summary.changed, summary.gone, summary.new], [8, 1, 0]);
    assert.equal(sandbox.requests.of("file", 200), summary.files);
    const files = (await team.place.entries("record.stored")).slice(-8).flatMap(({ files }) => files);
    const kept = files.filter(({ storedWith }) => storedWith !== undefined).length;
    assert.deepEqual([kept > 0, files.length - kept], [true, summary.files], "a kept file is not fetched again");
    const [report] = await team.place.expect<{ problems: number }>(0, "verify", "--orphans", "--read-data", "100");
    assert.equal(report!.problems, 0);
  });

  test("a killed worker: its jobs go to the others", async () => {
    await using sandbox = await startSandbox({ identities: 80, files: false, slow: 60 });
    await using team = await Team.make(sandbox);
    const coordinator = team.coordinate();
    const [first] = [team.work(), team.work()];
    await askedFor(sandbox, 20);
    first!.kill("SIGKILL");
    const summary = await team.summary(coordinator);
    assert.deepEqual([summary.new, summary.failed], [80, 0]);
    await team.assertAllOnce(sandbox);
  });

  test("a worker that is asked to stop finishes its jobs and exits; a late one does the rest", async () => {
    await using sandbox = await startSandbox({ identities: 60, files: false, slow: 40 });
    await using team = await Team.make(sandbox);
    const coordinator = team.coordinate();
    const first = team.work();
    await askedFor(sandbox, 15);
    first.kill("SIGTERM");
    const ended = await first.ended;
    assert.equal(ended.code, 130, ended.stderr);
    assert.ok(!existsSync(team.workers.path("state")), "a worker keeps nothing");
    team.work();
    const summary = await team.summary(coordinator);
    assert.deepEqual([summary.new, summary.failed], [60, 0]);
    await team.assertAllOnce(sandbox);
  });

  test("a worker that stalled until others got its jobs stores nothing more", async () => {
    // Minimal records: one request per identity, and nothing more to wait for after its answer.
    await using sandbox = await startSandbox({ identities: 12, files: false, slow: 300 });
    await using team = await Team.make(sandbox, { client: { collect: "minimal" } });
    const coordinator = team.coordinate();
    const first = team.work();
    await askedFor(sandbox, 3);
    first.kill("SIGSTOP");
    sandbox.intercept(undefined);
    team.work();
    assert.equal((await team.summary(coordinator)).failed, 0);
    first.kill("SIGCONT");
    first.kill("SIGTERM");
    await first.ended;
    await team.assertAllOnce(sandbox);
    const vault = await team.place.vault();
    for (const { object } of await team.place.entries("record.stored")) {
      const [newest] = await Array.fromAsync(vault.versions(object.key));
      assert.equal(newest!.versionId, object.versionId, "the logged version is the visible one");
    }
  });

  for (const keeps of [true, false]) {
    test(`a Redis that is killed and comes back ${keeps ? "with" : "without"} its data`, async () => {
      await using sandbox = await startSandbox({ identities: 80, files: false, slow: 40 });
      await using team = await Team.make(sandbox, { keeps });
      const coordinator = team.coordinate();
      for (let worker = 0; worker < 2; worker++) team.work();
      for (const asked of [15, 45]) {
        await askedFor(sandbox, asked);
        await team.redis.kill();
        await team.redis.start();
      }
      const summary = await team.summary(coordinator);
      assert.deepEqual([summary.new, summary.failed], [80, 0]);
      await team.assertAllOnce(sandbox);
    });
  }

  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    test(`a coordinator that ends by ${signal}: the next one continues, and workers wait for it`, async () => {
      await using sandbox = await startSandbox({ identities: 150, files: false });
      await using team = await Team.make(sandbox);
      // Of forty it has time to log some; the others are not answered while it runs.
      const { held, release } = heldAnswers(sandbox, 1, 40);
      const first = team.coordinate();
      for (let worker = 0; worker < 2; worker++) team.work();
      await held;
      while (!(await hasLogged(team.place))) await setTimeout(20);
      first.kill(signal);
      if (signal === "SIGTERM") {
        await first.logged(({ msg }) => String(msg).startsWith("stopping"));
        release();
      }
      const ended = await first.ended;
      assert.equal(ended.code, signal === "SIGKILL" ? null : 130, ended.stderr);
      release();
      const summary = await team.summary(team.coordinate());
      assert.equal(summary.failed, 0);
      assert.ok(summary.new < 150, `${summary.new} of 150 were left`);
      await team.assertAllOnce(sandbox);
    });
  }

  test("the nightly export goes first", async () => {
    await using sandbox = await startSandbox({ identities: 100, files: false, slow: 200 });
    await using team = await Team.make(sandbox);
    const coordinator = team.coordinate();
    team.work();
    await askedFor(sandbox, 10);
    const nightly = await team.place.export();
    assert.equal(nightly.outcome, "done");
    const summary = await team.summary(coordinator);
    assert.equal(summary.new + nightly.new, 100);
    const stored = await team.place.stored();
    for (const versions of stored.values()) assert.equal(versions.length, 1);
  });

  test("all workers share one rate, and all react to a refusal of one", async (t) => {
    await using sandbox = await startSandbox({ identities: 120, files: false });
    await using team = await Team.make(sandbox, { client: { source: { rate: "40/s" } } });
    const times: number[] = [];
    // Requests that arrive while this process is busy seem to arrive together when it is not.
    const delays = monitorEventLoopDelay({ resolution: 5 });
    delays.enable();
    sandbox.intercept((_, response) => {
      times.push(performance.now());
      // The source refuses one worker once.
      if (times.length !== 100) return false;
      response.writeHead(429, { "Retry-After": "1" }).end("{}");
      return true;
    });
    const coordinator = team.coordinate();
    for (let worker = 0; worker < 3; worker++) team.work();
    const summary = await team.summary(coordinator);
    assert.deepEqual([summary.new, summary.failed], [120, 0]);
    delays.disable();
    const late = delays.max / 1e9;
    t.diagnostic(`this process was ${Math.round(late * 1_000)} ms late`);
    for (let first = 0, last = 0; last < times.length; last++) {
      while (times[last]! - times[first]! >= 1000) first += 1;
      // One more for a request that was in flight when the second began.
      assert.ok(last - first + 1 <= 40 * (1 + late) + 2, `${last - first + 1} in a second`);
    }
    const silence = Math.max(...times.slice(100).map((time, at) => time - times[99 + at]!));
    assert.ok(silence > 900 - late * 1_000, "after those in flight, no request starts for a second");
  });

  test("a worker with another config learns which field differs, and leaves its work to the others", async () => {
    await using sandbox = await startSandbox({ identities: 20, files: false });
    await using team = await Team.make(sandbox);
    await team.workers.configure({ collect: "minimal" });
    const coordinator = team.coordinate();
    const ended = await team.work().ended;
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(String(ended.log.at(-1)!.error), /collect/);
    await team.workers.configure({ collect: "full" });
    team.work();
    assert.equal((await team.summary(coordinator)).new, 20);
    await team.assertAllOnce(sandbox);
  });

  test("a coordinator that cannot continue does not wait for missing workers", async () => {
    await using sandbox = await startSandbox({ identities: 150, files: false });
    await using team = await Team.make(sandbox);
    let pages = 0;
    sandbox.intercept((request, response) => {
      // The second page of the second walk: the first walk counts.
      if (!request.url!.includes("/identities?") || ++pages < 4) return false;
      response.writeHead(401).end("{}");
      return true;
    });
    const ended = await team.coordinate().ended;
    assert.equal(ended.code, 1, ended.stderr);
    assert.equal(ended.log.at(-1)!.code, "source-key");
    sandbox.intercept(undefined);
    team.work();
    assert.equal((await team.summary(team.coordinate())).new, 150);
    await team.assertAllOnce(sandbox);
  });

  test("a password rotated during a backfill is read again from its file", async () => {
    await using sandbox = await startSandbox({ identities: 60, files: false, slow: 40 });
    await using team = await Team.make(sandbox);
    await team.rotate("yesterday");
    const coordinator = team.coordinate();
    const workers = [team.work(), team.work()];
    await askedFor(sandbox, 15);
    await team.rotate("today");
    const summary = await team.summary(coordinator);
    assert.deepEqual([summary.new, summary.failed], [60, 0]);
    for (const worker of workers) assert.ok(!(await worker.ended).stderr.includes("today"));
    await team.assertAllOnce(sandbox);
  });

  test("a job whose workers only lost their connection is done, however often", async () => {
    await using sandbox = await startSandbox({ identities: 6, files: false });
    await using team = await Team.make(sandbox);
    const coordinator = team.coordinate();
    const { held } = heldAnswers(sandbox, 4);
    const first = team.work();
    await held;
    // BullMQ counts in `stc` how often a job lost its worker.
    await team.redis.with(async (client) => {
      const jobs = await client.keys("holdfast:*-backfill:*.*");
      for (const job of jobs) if ((await client.type(job)) === "hash") await client.hset(job, "stc", "50");
    });
    first.kill("SIGKILL");
    sandbox.intercept(undefined);
    team.work();
    const summary = await team.summary(coordinator);
    assert.deepEqual([summary.new, summary.failed], [6, 0]);
    await team.assertAllOnce(sandbox);
  });

  test("an identity that crashed three workers is given up, and the others are stored", async () => {
    await using sandbox = await startSandbox({ identities: 8, files: false });
    await using team = await Team.make(sandbox);
    const coordinator = team.coordinate();
    let crashed = 0;
    let worker = team.work();
    sandbox.intercept((request) => {
      if (!request.url!.endsWith(sandbox.ids()[0]!)) return false;
      crashed += 1;
      worker.kill("SIGKILL");
      worker = team.work();
      void team.redis.with(async (client) => {
        // The hold of a worker that crashed ends by itself, later.
        for (const lock of await client.keys("holdfast:*:lock")) await client.del(lock);
      });
      return true;
    });
    const { code, log } = await coordinator.ended;
    assert.deepEqual([code, crashed], [3, 3]);
    const failed = log.filter(({ msg }) => msg === "record failed");
    assert.deepEqual(
      failed.map(({ subject, code }) => [subject, code]),
      [[await team.place.subject(sandbox.ids()[0]!), "internal"]],
    );
    assert.equal((await team.place.stored()).size, 7);
  });

  test("Redis is down: exit code 1, and what to check", async () => {
    await using sandbox = await startSandbox({ identities: 3, files: false });
    await using team = await Team.make(sandbox);
    await team.redis.kill();
    for (const running of [team.coordinate(), team.work()]) {
      const ended = await running.ended;
      assert.equal(ended.code, 1, ended.stderr);
      assert.equal(ended.log.at(-1)!.code, "queue-unavailable");
    }
    await team.redis.start();
    team.work();
    assert.equal((await team.summary(team.coordinate())).new, 3);
  });

  test("an invalid Redis address: exit code 2, and it is not shown", async () => {
    await using sandbox = await startSandbox({ identities: 1, files: false });
    await using team = await Team.make(sandbox);
    for (const address of [
      "http://:secret-word@host",
      "redis://:secret-word@host",
      "redis://secret-word@host",
      "redis://host?password=secret-word",
      "redis:/:secret-word@host",
      "env:NO_SUCH_VARIABLE",
      "queue:6379",
    ]) {
      const ended = await team.workers.here("worker", ["--redis", address]);
      assert.equal(ended.code, 2, ended.stderr);
      assert.ok(!ended.stderr.includes("secret-word"));
    }
  });
});
