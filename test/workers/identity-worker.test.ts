import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Secret } from "../../src/config/secret.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { type IdentityJob, Queue, WaitingError } from "../../src/workers/bullmq.ts";
import { IdentityWorker, tell } from "../../src/workers/identity-worker.ts";
import { connectRedis } from "../../src/workers/redis.ts";
import { RedisServer, withoutRedis } from "../servers/redis.ts";

const QUEUE = "identities";
const PREFIX = "test";

interface Ended {
  readonly state: string;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * One job, whose worker's connection drops while it works. Redis refuses the connection once, because its password is
 * another by then, and with it all that waits for the connection.
 * @param end what the worker does while there is no connection
 */
async function workedThrough(end: (job: IdentityJob, token: string) => Promise<string>): Promise<Ended> {
  await using server = await RedisServer.start(false);
  await server.rotate("yesterday");
  let password = "yesterday";
  const address = () => new Secret(server.url.replace("redis://", `redis://:${password}@`));
  const redis = await connectRedis({ secret: address(), renewed: async () => address() }, () => {});
  await using opened = new AsyncDisposableStack();
  opened.defer(() => redis.disconnect());
  const queue = new Queue(QUEUE, { connection: redis as never, prefix: PREFIX });
  opened.defer(() => queue.close());
  queue.on("error", () => {});
  await queue.add("one", "data", { jobId: "one", removeOnComplete: false, removeOnFail: false });
  let begun = 0;
  const work = async (job: IdentityJob, token = ""): Promise<string> => {
    // Only the first attempt goes wrong.
    if (++begun > 1) return "second";
    const closed = once(redis, "close");
    password = "today";
    await server.rotate(password);
    await closed;
    return end(job, token);
  };
  const worker = new IdentityWorker(QUEUE, work, { connection: redis as never, prefix: PREFIX });
  opened.defer(() => worker.close());
  return await endOf(server);
}

async function endOf(server: RedisServer): Promise<Ended> {
  for (;;) {
    // A new client each time: Redis disconnects all when the password is rotated.
    const looked = server.with(async (client) => {
      for (const state of ["completed", "failed"]) {
        if ((await client.zcard(`${PREFIX}:${QUEUE}:${state}`)) > 0)
          return { state, fields: await client.hgetall(`${PREFIX}:${QUEUE}:one`) };
      }
      return undefined;
    });
    const ended = await looked.catch(() => undefined);
    if (ended) return ended;
    await delay(50);
  }
}

describe("a worker whose connection to Redis drops", { skip: withoutRedis }, () => {
  test("tells the result when Redis takes it: the job has not failed", async () => {
    const { state, fields } = await workedThrough(async () => "first");
    assert.deepEqual([state, fields.returnvalue, fields.failedReason], ["completed", '"first"', undefined]);
  });

  test("gives a job back when Redis takes it", async () => {
    const { state, fields } = await workedThrough(async (job, token) => {
      await tell(() => job.moveToWait(token));
      throw new WaitingError();
    });
    assert.deepEqual([state, fields.returnvalue, fields.failedReason], ["completed", '"second"', undefined]);
    assert.equal(fields.stc, undefined, "it did not wait until its hold ended");
  });

  test("tells a failure of the job itself when Redis takes it", async () => {
    const { state, fields } = await workedThrough(async () => {
      throw new HoldfastError("malformed", "not a task");
    });
    assert.deepEqual([state, fields.failedReason], ["failed", "not a task"]);
    assert.equal(fields.stc, undefined, "it did not wait until its hold ended");
  });
});

/** Whether a job is done that has lost its worker again, and so many times before. */
async function stateAfter(stalls: number): Promise<string> {
  await using server = await RedisServer.start(false);
  const address = new Secret(server.url);
  const redis = await connectRedis({ secret: address, renewed: async () => address }, () => {});
  await using opened = new AsyncDisposableStack();
  opened.defer(() => redis.disconnect());
  const queue = new Queue(QUEUE, { connection: redis as never, prefix: PREFIX });
  opened.defer(() => queue.close());
  await queue.add("one", "data", { jobId: "one", removeOnComplete: false, removeOnFail: false });
  await server.with(async (client) => {
    const key = (name: string) => `${PREFIX}:${QUEUE}:${name}`;
    await client.hset(key("one"), "stc", stalls);
    await client.lmove(key("wait"), key("active"), "LEFT", "LEFT");
    await client.sadd(key("stalled"), "one");
  });
  const worker = new IdentityWorker(QUEUE, async () => "done", { connection: redis as never, prefix: PREFIX });
  opened.defer(() => worker.close());
  return (await endOf(server)).state;
}

test("a job that lost its worker again and again is given up at last", { skip: withoutRedis }, async () => {
  assert.equal(await stateAfter(60), "completed");
  assert.equal(await stateAfter(100), "failed");
});
