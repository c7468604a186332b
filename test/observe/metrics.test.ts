import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasCode } from "../../src/core/error.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { startMonitor } from "../../src/observe/server.ts";

const NONE = {
  new: 0,
  changed: 0,
  unchanged: 0,
  past: 0,
  again: 0,
  gone: 0,
  failed: 0,
  files: 0,
  withheld: 0,
  bytes: 0,
};

/** Samples of our own, as `name{labels}`: value. */
async function samples(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split("\n").filter((line) => line.startsWith("holdfast_"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

describe("counters", () => {
  test("begin at nothing, so that the first increase is seen", async () => {
    const metrics = new Metrics("1");
    metrics.client("acme");
    const all = await samples(metrics);
    for (const outcome of ["new", "changed", "unchanged", "past", "again", "gone", "failed"])
      assert.equal(all.get(`holdfast_records_total{client="acme",outcome="${outcome}"}`), 0);
    assert.equal(all.get('holdfast_runs_total{client="acme",outcome="failed"}'), 0);
  });

  test("a run reports its current counts; runs add up, and clients do not mix", async () => {
    const metrics = new Metrics("1");
    const acme = metrics.client("acme");
    const first = acme.counted();
    first({ ...NONE, new: 2, bytes: 100 });
    first({ ...NONE, new: 2, bytes: 100 });
    first({ ...NONE, new: 5, bytes: 300, files: 1 });
    acme.counted()({ ...NONE, new: 1, failed: 1 });
    metrics.client("other").counted()({ ...NONE, new: 40 });
    const all = await samples(metrics);
    assert.equal(all.get('holdfast_records_total{client="acme",outcome="new"}'), 6);
    assert.equal(all.get('holdfast_records_total{client="acme",outcome="failed"}'), 1);
    assert.equal(all.get('holdfast_sealed_bytes_total{client="acme"}'), 300);
    assert.equal(all.get('holdfast_files_stored_total{client="acme"}'), 1);
    assert.equal(all.get('holdfast_records_total{client="other",outcome="new"}'), 40);
  });
});

test("unknown values are not shown, and values that no longer apply are removed", async () => {
  const metrics = new Metrics("1");
  const acme = metrics.client("acme");
  acme.standing({});
  const shown = async () =>
    [...(await samples(metrics)).keys()].filter((name) => /last_(success|verify)|locks_due/.test(name));
  assert.deepEqual(await shown(), []);
  acme.standing({ lastSuccess: 5, lastVerify: { time: 6, problems: 0 }, locksDue: { "7d": 1, "30d": 2 } });
  assert.equal((await shown()).length, 5);
  acme.standing({});
  assert.ok(!(await shown()).some((name) => /last_/.test(name)));
});

describe("the address", () => {
  test("metrics, health and readiness; GET alone, and nothing else", async () => {
    const metrics = new Metrics("1");
    let ready = false;
    await using monitor = await startMonitor({ host: "127.0.0.1", port: 0, metrics, ready: () => ready });
    const ask = (path: string, method = "GET") => fetch(`http://127.0.0.1:${monitor.port}${path}`, { method });
    const answer = await ask("/metrics");
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
    assert.match(await answer.text(), /^holdfast_build_info\{version="1"\} 1$/m);
    assert.equal((await ask("/healthz")).status, 200);
    assert.equal((await ask("/readyz")).status, 503);
    ready = true;
    assert.equal((await ask("/readyz?verbose")).status, 200);
    assert.equal((await ask("/metrics", "POST")).status, 405);
    for (const path of ["/", "/metrics/", "/etc/passwd", "/..%2f"]) assert.equal((await ask(path)).status, 404, path);
  });

  test("metrics that cannot be read are a failure of that scrape alone", async () => {
    const metrics = new Metrics("1");
    metrics.refresh = () => {
      throw new Error("jane@example.com");
    };
    await using monitor = await startMonitor({ host: "127.0.0.1", port: 0, metrics, ready: () => true });
    const answer = await fetch(`http://127.0.0.1:${monitor.port}/metrics`);
    assert.equal(answer.status, 500);
    assert.ok(!(await answer.text()).includes("jane"));
    assert.equal((await fetch(`http://127.0.0.1:${monitor.port}/healthz`)).status, 200);
  });

  test("one that someone has is a mistake in the config", async () => {
    const metrics = new Metrics("1");
    await using monitor = await startMonitor({ host: "127.0.0.1", port: 0, metrics, ready: () => true });
    await assert.rejects(startMonitor({ host: "127.0.0.1", port: monitor.port, metrics, ready: () => true }), (error) =>
      hasCode(error, "config"),
    );
  });
});
