import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import { afterEach, beforeEach, mock, test } from "node:test";
import fc from "fast-check";
import { type ErrorCode, HoldfastError, hasCode } from "../../src/core/error.ts";
import { type RetryPolicy, retryAfter, retrying } from "../../src/io/retry.ts";

const policy: RetryPolicy = { retries: 3, minDelay: 100, maxDelay: 250, maxRetryAfter: 5_000 };
const transient = (retryAfter?: number) => new HoldfastError("source-unavailable", "busy", { retryAfter });
const code = (expected: ErrorCode) => (error: unknown) => hasCode(error, expected);

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  syncBuiltinESMExports();
});
afterEach(() => {
  mock.timers.reset();
  syncBuiltinESMExports();
  mock.restoreAll();
});

/** Lets everything that is ready happen, without moving timers. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** Work with the given outcomes, one per call; the last one repeats. */
function scripted(...outcomes: readonly (Error | string)[]) {
  const work = async (): Promise<string> => {
    const outcome = outcomes[Math.min(work.calls++, outcomes.length - 1)]!;
    if (typeof outcome === "string") return outcome;
    throw outcome;
  };
  work.calls = 0;
  return work;
}

test("successful work is called once", async () => {
  const work = scripted("done");
  assert.equal(await retrying(work, policy), "done");
  assert.equal(work.calls, 1);
});

test("transient errors are retried until success, after pauses that double up to a limit", async () => {
  for (const [random, pauses] of [
    [0, [50, 100, 125]],
    [0.999999, [100, 200, 250]],
  ] as const) {
    mock.method(Math, "random", () => random);
    const told: unknown[] = [];
    const work = scripted(transient(), new HoldfastError("vault-unavailable", "busy"), transient(), "done");
    const done = retrying(work, policy, undefined, ({ code }) => told.push(code));
    for (const [index, pause] of pauses.entries()) {
      await settle();
      mock.timers.tick(pause - 2);
      await settle();
      assert.equal(work.calls, index + 1);
      mock.timers.tick(2);
    }
    assert.equal(await done, "done");
    assert.equal(work.calls, 4);
    assert.deepEqual(told, ["source-unavailable", "vault-unavailable", "source-unavailable"]);
  }
});

test("permanent errors and foreign errors are not retried", async () => {
  const codes = ["source-key", "source-response", "vault-conflict", "unverified", "interrupted", "internal"] as const;
  for (const error of [...codes.map((name) => new HoldfastError(name, "no")), new TypeError("no")]) {
    const work = scripted(error, "never");
    await assert.rejects(retrying(work, policy), (thrown) => thrown === error);
    assert.equal(work.calls, 1);
  }
});

test("the last error is thrown after the last retry", async () => {
  for (const retries of [0, 1, 3]) {
    const errors = Array.from({ length: retries + 1 }, () => transient());
    const work = scripted(...errors);
    const refused = assert.rejects(retrying(work, { ...policy, retries }), (thrown) => thrown === errors[retries]);
    for (let i = 0; i < retries; i++) {
      await settle();
      mock.timers.tick(policy.maxDelay);
    }
    await refused;
    assert.equal(work.calls, retries + 1);
  }
});

test("never retries sooner than the other side asked, and not at all if it asked for too long", async () => {
  const work = scripted(transient(policy.maxRetryAfter), transient(1), "done");
  const done = retrying(work, policy);
  await settle();
  mock.timers.tick(policy.maxRetryAfter - 1);
  await settle();
  assert.equal(work.calls, 1);
  mock.timers.tick(1);
  await settle();
  assert.equal(work.calls, 2);
  // If asked for less than the pause, waits the pause.
  mock.timers.tick(50);
  await settle();
  assert.equal(work.calls, 2);
  mock.timers.tick(150);
  assert.equal(await done, "done");

  const patient = scripted(transient(policy.maxRetryAfter + 1), "never");
  await assert.rejects(retrying(patient, policy), code("source-unavailable"));
  assert.equal(patient.calls, 1);
});

test("an abort ends the wait", async () => {
  const stop = new AbortController();
  const work = scripted(transient(4_000), "never");
  const refused = assert.rejects(retrying(work, policy, stop.signal), code("interrupted"));
  await settle();
  stop.abort();
  await refused;
  assert.equal(work.calls, 1);
});

test("an abort does not end the current attempt: its success counts, its failure is final", async () => {
  for (const outcome of ["done", transient(), new HoldfastError("source-denied", "no")]) {
    const stop = new AbortController();
    const gate = Promise.withResolvers<void>();
    const result = retrying(() => gate.promise.then(scripted(outcome)), policy, stop.signal).catch((error) => error);
    stop.abort();
    gate.resolve();
    assert.equal(await result, outcome);
  }
});

test("Retry-After: seconds or an HTTP date, and nothing else", () => {
  const now = Date.parse("2026-11-23T10:15:00.250Z");
  for (const [header, expected] of [
    ["0", 0],
    ["120", 120_000],
    ["99999999999", 99_999_999_999_000],
    ["Mon, 23 Nov 2026 10:15:30 GMT", 29_750],
    ["Mon, 23 Nov 2026 10:15:00 GMT", 0],
    ["Monday, 23-Nov-26 10:15:30 GMT", 29_750],
    ...["", " ", "-1", "1.5", "+5", "soon", "5 bananas", "0x10", "1e3", "2026-11-23", "GMT", "x GMT"].map(
      (text) => [text, undefined] as const,
    ),
    [undefined, undefined],
  ] as const)
    assert.equal(retryAfter(header, now), expected, header ?? "none");
  fc.assert(
    fc.property(fc.string(), (header) => {
      const asked = retryAfter(header, now);
      assert.ok(asked === undefined || asked >= 0);
    }),
  );
});
