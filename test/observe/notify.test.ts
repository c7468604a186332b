import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasCode } from "../../src/core/error.ts";
import type { Fields, Log } from "../../src/observe/log.ts";
import { type Event, notify, parseWebhookKey, signature } from "../../src/observe/notify.ts";
import { type Received, startReceiver } from "../servers/receiver.ts";

const KEY = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const EVENT: Event = {
  type: "run.finished",
  timestamp: "2026-11-24T02:40:00Z",
  data: { client: "acme", job: "export" },
};
const RETRY = { retries: 2, minDelay: 1, maxDelay: 2, maxRetryAfter: 1000 };

function noting(): { log: Log; lines: Fields[] } {
  const lines: Fields[] = [];
  const note = (_: string, fields: Fields = {}) => void lines.push(fields);
  const log: Log = { debug: note, info: note, warn: note, error: note, with: () => log };
  return { log, lines };
}

describe("signing", () => {
  test("the vector of Standard Webhooks", () => {
    const key = parseWebhookKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert.equal(
      signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}'),
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
  });

  test("a key is 24 to 64 bytes, and never shown", () => {
    for (const bytes of [24, 64])
      assert.equal(parseWebhookKey(`whsec_${Buffer.alloc(bytes).toString("base64")}`).length, bytes);
    const wrong = [23, 65].map((bytes) => `whsec_${Buffer.alloc(bytes).toString("base64")}`);
    for (const text of [
      ...wrong,
      "",
      "hunter2hunter2hunter2hunter2",
      "whsec_",
      `whsec_${"-".repeat(32)}`,
      `${KEY}\n`,
    ]) {
      assert.throws(
        () => parseWebhookKey(text),
        (error) => hasCode(error, "config") && (text === "" || !(error as Error).message.includes(text)),
      );
    }
  });

  test("what arrives is signed over id, time and the very bytes", async () => {
    await using to = await startReceiver(200);
    const { log, lines } = noting();
    await notify(EVENT, { webhook: { url: to.url, key: parseWebhookKey(KEY) } }, { log });
    const [{ headers, body, path }] = to.got as [Received];
    assert.equal(path, "/ping/7f0c");
    assert.equal(headers["content-type"], "application/json");
    assert.deepEqual(JSON.parse(body), EVENT);
    const at = Number(headers["webhook-timestamp"]);
    assert.ok(Math.abs(Date.now() / 1000 - at) < 60);
    assert.equal(
      headers["webhook-signature"],
      signature(parseWebhookKey(KEY), String(headers["webhook-id"]), at, body),
    );
    assert.deepEqual(lines, []);
  });
});

test("healthchecks is told by address: start, end, failure; of an interruption nothing", async () => {
  await using to = await startReceiver(200);
  const { log } = noting();
  for (const type of ["run.started", "run.finished", "run.failed", "run.interrupted"] as const)
    await notify({ ...EVENT, type }, { healthchecks: to.url }, { log });
  assert.deepEqual(
    to.got.map(({ path }) => path),
    ["/ping/7f0c/start", "/ping/7f0c", "/ping/7f0c/fail"],
  );
});

describe("one that does not take it", () => {
  test("is retried, with the same id, until it succeeds", async () => {
    await using to = await startReceiver(503, 0, 204);
    const { log, lines } = noting();
    await notify(EVENT, { webhook: { url: to.url, key: parseWebhookKey(KEY) } }, { log, retry: RETRY });
    assert.equal(to.got.length, 3);
    assert.equal(new Set(to.got.map(({ headers }) => headers["webhook-id"])).size, 1);
    assert.deepEqual(lines, []);
  });

  for (const [what, status, attempts, code] of [
    ["fails for good", 500, 3, "notify-unavailable"],
    ["never answers", -1, 3, "notify-unavailable"],
    ["says there is no such check", 404, 1, "notify-rejected"],
    ["sends it elsewhere", 302, 1, "notify-rejected"],
  ] as const) {
    test(`${what}: logged, without its address, and nothing thrown`, async () => {
      await using to = await startReceiver(status);
      const { log, lines } = noting();
      await notify(EVENT, { healthchecks: to.url }, { log, retry: RETRY, timeout: status === -1 ? 200 : 60_000 });
      assert.equal(to.got.length, attempts);
      assert.deepEqual(
        lines.map(({ code, stage }) => [code, stage]),
        [[code, "notify"]],
      );
      assert.ok(!JSON.stringify(lines).includes("7f0c"));
    });
  }

  test("does not keep the other from being told", async () => {
    await using good = await startReceiver(200);
    await using bad = await startReceiver(400);
    const { log, lines } = noting();
    await notify(EVENT, { healthchecks: bad.url, webhook: { url: good.url, key: parseWebhookKey(KEY) } }, { log });
    assert.equal(good.got.length, 1);
    assert.equal(lines.length, 1);
  });

  test("is not tried again by a process that is to stop", async () => {
    await using to = await startReceiver(500);
    const { log, lines } = noting();
    await notify(EVENT, { healthchecks: to.url }, { log, signal: AbortSignal.abort() });
    assert.equal(to.got.length, 1);
    assert.equal(lines.length, 1);
  });
});
