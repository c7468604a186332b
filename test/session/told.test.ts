import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { Metrics } from "../../src/observe/metrics.ts";
import { parseWebhookKey, signature } from "../../src/observe/notify.ts";
import { Standings } from "../../src/session/standing.ts";
import { noteExport } from "../../src/state/last-export.ts";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { startPushgateway, withoutPushgateway } from "../servers/pushgateway.ts";
import { type Received, startReceiver } from "../servers/receiver.ts";

const KEY = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
/** The sandbox has people with these values; none may leave Holdfast. */
const PERSONAL = /@|passport|[0-9a-f]{8}-[0-9a-f]{4}-4/i;

async function toldOf(place: Workplace, healthchecks: string, webhook: string): Promise<void> {
  await writeFile(place.path("keys/ping"), healthchecks, { mode: 0o600 });
  await writeFile(place.path("keys/hook"), webhook, { mode: 0o600 });
  await writeFile(place.path("keys/hook-key"), KEY, { mode: 0o600 });
  await place.configure({
    notify: {
      healthchecks: "file:./keys/ping",
      webhook: { url: "file:./keys/hook", key: "file:./keys/hook-key" },
    },
  });
}

/** Makes the daemon remember that a run was due then. */
async function due(place: Workplace, time: string): Promise<void> {
  noteExport((await place.client()).state, { due: time });
}

const events = (got: readonly Received[]) => got.map(({ body }) => JSON.parse(body));
const paths = (got: readonly Received[]) => got.map(({ path }) => path.slice("/ping/7f0c".length));

describe("a notified receiver", () => {
  test("hears that a run starts and ends, and nothing about a run for named people", async () => {
    await using sandbox = await startSandbox({ identities: 5, files: false });
    await using place = await makeWorkplace(sandbox);
    await using ping = await startReceiver(200);
    await using hook = await startReceiver(200);
    await toldOf(place, ping.url, hook.url);
    const summary = await place.export();
    assert.deepEqual(paths(ping.got), ["/start", ""]);
    const [started, finished] = events(hook.got);
    assert.deepEqual([started.type, started.data], ["run.started", { client: "acme-bank", job: "export" }]);
    assert.equal(finished.type, "run.finished");
    const { run, outcome, counts } = finished.data;
    assert.deepEqual([run, outcome, counts.new, counts.failed], [summary.run, "done", 5, 0]);
    for (const { headers, body } of hook.got) {
      const [id, at] = [String(headers["webhook-id"]), Number(headers["webhook-timestamp"])];
      assert.equal(headers["webhook-signature"], signature(parseWebhookKey(KEY), id, at, body));
    }
    for (const { body } of [...ping.got, ...hook.got]) assert.doesNotMatch(body, PERSONAL);
    await place.export("--identity", sandbox.identity(1).id);
    assert.equal(ping.got.length, 2);
  });

  test("hears that a run failed: all of it, or some records", async () => {
    await using sandbox = await startSandbox({ identities: 5, files: false });
    await using place = await makeWorkplace(sandbox);
    await using ping = await startReceiver(200);
    await using hook = await startReceiver(200);
    await toldOf(place, ping.url, hook.url);
    const broken = sandbox.identity(3).id;
    sandbox.intercept((request, response) => {
      if (!request.url!.endsWith(`/identities/${broken}`)) return false;
      response.writeHead(200, { "Content-Type": "application/json" }).end('{"owner":');
      return true;
    });
    await place.expect(3, "export");
    sandbox.intercept((_, response) => {
      response.writeHead(401).end("{}");
      return true;
    });
    assert.equal((await place.here("export")).code, 1);
    assert.deepEqual(paths(ping.got), ["/start", "/fail", "/start", "/fail"]);
    const [, partial, , failed] = events(hook.got);
    assert.deepEqual([partial.type, partial.data.outcome, partial.data.counts.failed], ["run.failed", "partial", 1]);
    assert.deepEqual([failed.type, failed.data.outcome, failed.data.code], ["run.failed", "failed", "source-key"]);
  });

  test("may be gone: the run is done all the same, and the log says so without the address", async () => {
    await using sandbox = await startSandbox({ identities: 3, files: false });
    await using place = await makeWorkplace(sandbox);
    await using ping = await startReceiver(404);
    await using hook = await startReceiver(403);
    await toldOf(place, ping.url, hook.url);
    const { code, log, stderr } = await place.here("export");
    assert.equal(code, 0);
    assert.equal(log.filter(({ code }) => code === "notify-rejected").length, 4);
    assert.doesNotMatch(stderr, /7f0c/);
    // Nor does a secret that is not there keep anyone's copies from being made.
    await writeFile(place.path("keys/hook-key"), "hunter2", { mode: 0o600 });
    const again = await place.here("export");
    assert.equal(again.code, 0);
    assert.ok(again.log.some(({ level, code }) => level === "warn" && code === "config"));
    assert.doesNotMatch(again.stderr, /hunter2/);
  });
});

describe("the daemon", () => {
  test("shows its metrics during a run, and what it knows without one", async () => {
    await using sandbox = await startSandbox({ identities: 30, plainImages: true });
    await using place = await makeWorkplace(sandbox);
    place.config.schedule = { cron: "0 0 1 1 *" };
    place.config.metrics = { listen: "127.0.0.1:0" };
    await place.configure();
    // The run of yesterday was missed: it begins at once.
    await due(place, "2026-01-01T00:00:00Z");
    // Ten people are stored, and the others are not answered until the metrics were read.
    const release = Promise.withResolvers<void>();
    let isHeld = true;
    let people = 0;
    sandbox.intercept((request, response) => {
      if (!isHeld || !/\/identities\/[^/]+$/.test(request.url!) || ++people <= 10) return false;
      void release.promise.then(() => response.writeHead(503, { "Retry-After": "0" }).end());
      return true;
    });
    const daemon = place.start("export", ["--schedule"]);
    const { msg } = await daemon.logged(({ msg }) => String(msg).startsWith("metrics at "));
    const url = String(msg).slice("metrics at ".length);
    const value = (text: string, name: string) =>
      Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1] ?? Number.NaN);
    const acme = 'client="acme-bank"';
    let during = "";
    do during = await (await fetch(url)).text();
    while (value(during, `holdfast_records_total{${acme},outcome="new"}`) !== 10);
    assert.equal(value(during, `holdfast_run_in_progress{${acme}}`), 1);
    assert.ok(value(during, `holdfast_source_rate_limit{${acme}}`) > 0);
    assert.ok(value(during, `holdfast_sealed_bytes_total{${acme}}`) > 0);
    assert.match(
      during,
      /^holdfast_vault_request_duration_seconds_bucket\{le="[^"]+",client="acme-bank",operation="put",outcome="ok"\} \d/m,
    );
    assert.match(
      during,
      /^holdfast_source_request_duration_seconds_count\{client="acme-bank",operation="GET \/identities",outcome="ok"\} 1$/m,
    );
    assert.doesNotMatch(during, PERSONAL);
    isHeld = false;
    release.resolve();
    await daemon.logged(({ outcome }) => outcome === "done");
    await daemon.logged(({ msg }) => String(msg).startsWith("next run 2027-01-01"));
    await place.expect(0, "verify", "--read-data", "5");
    const after = await (await fetch(url)).text();
    assert.equal(value(after, `holdfast_run_in_progress{${acme}}`), 0);
    assert.equal(value(after, `holdfast_records_total{${acme},outcome="new"}`), 30);
    assert.equal(value(after, `holdfast_runs_total{${acme},outcome="done"}`), 1);
    assert.ok(Math.abs(value(after, `holdfast_last_success_timestamp_seconds{${acme}}`) - Date.now() / 1000) < 120);
    assert.ok(Math.abs(value(after, `holdfast_last_verify_timestamp_seconds{${acme}}`) - Date.now() / 1000) < 120);
    assert.equal(value(after, `holdfast_last_verify_problems{${acme}}`), 0);
    assert.equal(value(after, `holdfast_locks_due{${acme},within="30d"}`), 0);
    const asked = [
      await readFile("config/prometheus/holdfast.rules.yaml", "utf8"),
      await readFile("config/grafana/holdfast.json", "utf8"),
    ].join();
    for (const [name] of asked.matchAll(/holdfast_[a-z_]+?(?=_bucket|_count\b|[^a-z_])/g))
      assert.match(after, new RegExp(`^# TYPE ${name} `, "m"), name);
    const newest = value(after, `holdfast_kept_newest_timestamp_seconds{${acme}}`);
    assert.equal(newest, value(after, `holdfast_source_newest_timestamp_seconds{${acme}}`));
    assert.equal(
      value(after, `holdfast_next_run_timestamp_seconds{${acme}}`),
      Date.parse("2027-01-01T00:00:00Z") / 1000,
    );
    assert.equal((await fetch(url.replace("/metrics", "/readyz"))).status, 200);
    daemon.kill("SIGTERM");
    assert.equal((await daemon.ended).code, 0);
  });

  test("stopped during a run, it ends with 130 and continues when it is started again", async () => {
    await using sandbox = await startSandbox({ identities: 30, files: false, slow: 20 });
    await using place = await makeWorkplace(sandbox);
    await using ping = await startReceiver(200);
    await using hook = await startReceiver(200);
    await toldOf(place, ping.url, hook.url);
    place.config.schedule = { cron: "0 0 1 1 *" };
    await place.configure();
    await due(place, "2026-01-01T00:00:00Z");
    const enough = Promise.withResolvers<void>();
    sandbox.intercept(() => {
      if (sandbox.requests.of("identity") >= 10) enough.resolve();
      return false;
    });
    const daemon = place.start("export", ["--schedule"]);
    await enough.promise;
    daemon.kill("SIGTERM");
    const ended = await daemon.ended;
    assert.equal(ended.code, 130, ended.stderr);
    assert.equal((await place.entries("run.finished")).at(-1)!.outcome, "interrupted");
    // healthchecks notices the missing ping; the webhook's receiver is notified.
    assert.deepEqual(paths(ping.got), ["/start"]);
    assert.deepEqual(
      events(hook.got).map(({ type }) => type),
      ["run.started", "run.interrupted"],
    );
    const last = JSON.parse(await readFile(place.path("state/acme-bank/last-export.json"), "utf8"));
    assert.equal(last.due, "2026-01-01T00:00:00Z");

    sandbox.setFaults({ slow: 0 });
    const again = place.start("export", ["--schedule"]);
    await again.logged(({ outcome }) => outcome === "done");
    await again.logged(({ msg }) => String(msg).startsWith("next run"));
    again.kill("SIGTERM");
    assert.equal((await again.ended).code, 0);
    assert.equal((await place.stored()).size, 30);
  });

  test("work that does not finish within the grace period is left to the next run", async () => {
    await using sandbox = await startSandbox({ identities: 3, files: false });
    await using place = await makeWorkplace(sandbox);
    place.config.schedule = { cron: "0 0 1 1 *", grace: "PT1S" };
    await place.configure();
    const asked = Promise.withResolvers<void>();
    sandbox.intercept((request) => {
      if (!request.url!.includes("/identities/")) return false;
      asked.resolve();
      return true; // Never answered.
    });
    const running = place.start("export");
    await asked.promise;
    running.kill("SIGTERM");
    const { code, log } = await running.ended;
    assert.equal(code, 130);
    assert.ok(log.some(({ msg }) => String(msg).includes("schedule.grace")));
    sandbox.intercept(undefined);
    assert.equal((await place.export()).new, 3);
    await place.expect(0, "verify");
  });

  test("an address that someone has is a mistake in the config", async () => {
    await using sandbox = await startSandbox({ identities: 1, files: false });
    await using place = await makeWorkplace(sandbox);
    place.config.metrics = { listen: new URL(sandbox.url).host };
    await place.configure();
    const { code, stderr } = await place.holdfast("export", ["--schedule"]);
    assert.equal(code, 2);
    assert.match(stderr, /EADDRINUSE/);
  });
});

describe("a run that no one can ask", { skip: withoutPushgateway }, () => {
  test("tells a Pushgateway, each client apart", async () => {
    await using sandbox = await startSandbox({ identities: 4, files: false });
    await using place = await makeWorkplace(sandbox);
    await using gateway = await startPushgateway();
    place.config.metrics = { pushgateway: gateway.url };
    await place.addClient("other");
    await place.expect(0, "init", "--client", "other");
    await place.expect(0, "export");
    sandbox.change(1);
    await place.expect(0, "export", "--client", "other");
    const text = await gateway.metrics();
    const of = (client: string, name: string, labels = "") =>
      Number(
        new RegExp(
          `^holdfast_${name}\\{client="${client}",instance="",job="holdfast-export"${labels}\\} (.+)$`,
          "m",
        ).exec(text)?.[1],
      );
    assert.equal(of("acme-bank", "records_total", ',outcome="new"'), 4);
    assert.equal(of("other", "records_total", ',outcome="changed"'), 1);
    for (const client of ["acme-bank", "other"]) {
      assert.equal(of(client, "run_in_progress"), 0);
      assert.ok(Math.abs(of(client, "last_success_timestamp_seconds") - Date.now() / 1000) < 120);
    }
    assert.doesNotMatch(
      text
        .split("\n")
        .filter((line) => line.startsWith("holdfast_"))
        .join("\n"),
      PERSONAL,
    );
  });

  test("one that is away is said, and changes nothing", async () => {
    await using sandbox = await startSandbox({ identities: 1, files: false });
    await using place = await makeWorkplace(sandbox);
    place.config.metrics = { pushgateway: "http://127.0.0.1:9" };
    await place.configure();
    const { code, log } = await place.here("export");
    assert.equal(code, 0);
    assert.ok(log.some(({ msg, code }) => msg === "metrics not pushed" && code === "notify-unavailable"));
  });
});

test("locks that fall due are counted where the copy must be kept longer, and only there", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  for (const [retention, due] of [
    [{ keep: "P5Y", from: "relationship-end", initialLock: "P5D", extendWhenLessThan: "P1D" }, [3, 3]],
    [{ keep: "P5Y", from: "relationship-end", initialLock: "P20D", extendWhenLessThan: "P1D" }, [0, 3]],
    [{ keep: "P5D", from: "exported", initialLock: "P5D", extendWhenLessThan: "P1D" }, [0, 0]],
  ] as const) {
    await using place = await makeWorkplace(sandbox, { client: { retention } });
    await place.export();
    const metrics = new Metrics("1");
    const client = await place.client();
    const standings = new Standings(metrics, () => [client], Temporal.Now.instant);
    await standings.count();
    standings.show();
    const text = await metrics.text();
    for (const [index, within] of ["7d", "30d"].entries())
      assert.match(
        text,
        new RegExp(`^holdfast_locks_due\\{client="acme-bank",within="${within}"\\} ${due[index]}$`, "m"),
      );
  }
});

describe("the log", () => {
  test("a flood of failed records is sampled, counted at the end, and whole in the audit log", async () => {
    await using sandbox = await startSandbox({ identities: 60, files: false });
    await using place = await makeWorkplace(sandbox);
    // Every other one, so that the run is not given up.
    const broken = new Set(Array.from({ length: 30 }, (_, index) => sandbox.identity(2 * index).id));
    sandbox.intercept((request, response) => {
      if (!broken.has(request.url!.split("/").at(-1)!)) return false;
      response.writeHead(200, { "Content-Type": "application/json" }).end('{"owner":');
      return true;
    });
    const { code, log } = await place.here("export");
    assert.equal(code, 3);
    const lines = log.filter(({ msg }) => msg === "record failed");
    assert.equal(lines.length, 20);
    for (const { level, run, client, subject, stage, durationMs } of lines) {
      assert.deepEqual([level, client, stage], ["error", "acme-bank", "source"]);
      assert.ok(run && /^[0-9a-f]{32}$/.test(String(subject)) && Number(durationMs) >= 0);
    }
    const [total, ...more] = log.filter(({ msg }) => msg === "record failed: total number");
    assert.deepEqual([total!.count, total!.code, more.length], [30, "source-response", 0]);
    assert.equal((await place.entries("record.failed")).length, 30);
  });

  test("--log-level debug tells of every record, and nothing personal either", async () => {
    await using sandbox = await startSandbox({ identities: 6, files: false });
    await using place = await makeWorkplace(sandbox);
    const { log, stderr } = await place.here("export", ["--log-level", "debug"]);
    const settled = log.filter(({ msg }) => msg === "record settled");
    assert.equal(settled.length, 6);
    assert.ok(settled.every(({ level, outcome }) => level === "debug" && outcome === "new"));
    assert.doesNotMatch(stderr, PERSONAL);
    const quiet = await place.here("export", ["--log-level", "error"]);
    assert.equal(quiet.stderr, "");
  });
});
