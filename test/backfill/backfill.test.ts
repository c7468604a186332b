import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Estimate } from "../../src/backfill/estimate.ts";
import type { Summary } from "../../src/export/summary.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

/** Three pages of a hundred. */
const PEOPLE = 210;

async function assertAllOnce(place: Workplace, sandbox: Sandbox, people = PEOPLE): Promise<void> {
  const stored = await place.stored();
  assert.equal(stored.size, people);
  for (const id of sandbox.ids()) assert.equal(stored.get(await place.subject(id))?.length, 1, id);
  const [report] = await place.expect<{ problems: number }>(0, "verify", "--orphans");
  assert.equal(report!.problems, 0);
}

const positions = (place: Workplace) =>
  readdirSync(place.path("state", CLIENT)).filter((name) => name.startsWith("backfill-"));

/** How many people a backfill has left behind it, by its position. */
function examined(place: Workplace): number {
  const name = positions(place).find((each) => each.endsWith(".json"));
  if (name === undefined) return 0;
  return (JSON.parse(readFileSync(place.path("state", CLIENT, name), "utf8")) as { examined: number }).examined;
}

/** Resolves at the request that makes `count` identities requested. */
function askedFor(sandbox: Sandbox, count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  sandbox.intercept(() => {
    if (sandbox.requests.of("identity") >= count) resolve();
    return false;
  });
  return promise;
}

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`stopped by ${signal}, it resumes after the finished pages`, async () => {
    await using sandbox = await startSandbox({ identities: PEOPLE, files: false });
    await using place = await makeWorkplace(sandbox);
    // On the second page no one more is answered until the signal has come.
    const waiting: ServerResponse[] = [];
    let people = 0;
    sandbox.intercept((request, response) => {
      if (!/\/identities\/[^/?]+$/.test(request.url!) || ++people <= 140) return false;
      waiting.push(response);
      return true;
    });
    const running = place.start("backfill", ["--json"]);
    while (waiting.length === 0 || examined(place) < 100) await setTimeout(10);
    running.kill(signal);
    if (signal === "SIGTERM") await running.logged(({ msg }) => String(msg).startsWith("stopping"));
    sandbox.intercept(undefined);
    for (const response of waiting) response.writeHead(503, { "Retry-After": "0" }).end();
    const ended = await running.ended;
    assert.equal(ended.code, signal === "SIGTERM" ? 130 : null, ended.stderr);
    const [position] = positions(place);
    const text = readFileSync(place.path("state", CLIENT, position!), "utf8");

    const cursors: (string | null)[] = [];
    sandbox.requests.clear();
    sandbox.intercept((request) => {
      const url = new URL(request.url!, sandbox.origin);
      if (url.pathname.endsWith("/identities")) cursors.push(url.searchParams.get("cursor"));
      return false;
    });
    const [summary] = await place.expect<Summary>(0, "backfill");
    assert.equal(cursors.length, 2, "the first page is not requested again");
    assert.ok(cursors[0], "it begins where the other one ended");
    for (const secret of [...cursors.filter((cursor) => cursor !== null), ...sandbox.canaries()]) {
      assert.ok(!text.includes(secret), secret);
    }
    assert.equal(summary!.outcome, "done");
    assert.ok(sandbox.requests.of("identity") < PEOPLE - 100 + 1);
    assert.deepEqual(positions(place), []);
    await assertAllOnce(place, sandbox);
    assert.equal((await place.export()).unchanged, PEOPLE);
  });
}

test("the nightly export goes first, and the backfill continues after it", async () => {
  await using sandbox = await startSandbox({ identities: PEOPLE, files: false, slow: 10 });
  await using place = await makeWorkplace(sandbox);
  const running = place.start("backfill", ["--json"]);
  await askedFor(sandbox, 30);
  // A backfill looks every five seconds whether someone waits. Until it saw the export, whose first request is for the
  // list, it must not run out of people.
  sandbox.setFaults({ slow: 1_000 });
  sandbox.intercept(({ url }) => {
    if (url!.includes("/identities?")) sandbox.setFaults({ slow: 0 });
    return false;
  });
  const nightly = await place.export();
  assert.equal(nightly.outcome, "done");
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.stderr);
  const [summary] = (ended.json as { clients: Summary[] }).clients;
  assert.equal(summary!.outcome, "done");
  assert.equal(summary!.new + nightly.new, PEOPLE);
  const runs = (await place.entries("run.started")).map(({ job }) => job);
  assert.deepEqual(runs, ["backfill", "export", "backfill"]);
  await assertAllOnce(place, sandbox);
});

test("while an export holds the vault a backfill exits 5", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  const asked = Promise.withResolvers<void>();
  sandbox.intercept((request, response) => {
    // The look at the provider's clock carries no key, and comes before the lease.
    if (request.headers["x-api-key"] !== undefined) asked.resolve();
    response.writeHead(429, { "Retry-After": "120" }).end("{}");
    return true;
  });
  const first = place.start("export");
  await asked.promise;
  const second = await place.here("backfill", ["--json"]);
  assert.equal(second.code, 5, second.stderr);
  first.kill("SIGTERM");
  assert.equal((await first.ended).code, 130);
});

for (const [when, pages] of [
  ["while it counts", 1],
  ["while it exports", 3],
] as const) {
  test(`a page cursor that the source no longer accepts, ${when}: no one is skipped or fetched twice`, async () => {
    await using sandbox = await startSandbox({ identities: PEOPLE, files: false });
    await using place = await makeWorkplace(sandbox);
    let left: number = pages;
    sandbox.intercept((request, response) => {
      if (!request.url!.includes("cursor=") || left-- > 0) return false;
      sandbox.intercept(undefined);
      response.writeHead(400).end("{}");
      return true;
    });
    const ended = await place.here("backfill", ["--json"]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(
      ended.log.some(({ msg }) => String(msg).includes("no longer accepts the page cursor")),
      when === "while it exports",
    );
    assert.equal(sandbox.requests.of("identity"), PEOPLE);
    await assertAllOnce(place, sandbox);
  });
}

for (const [what, status, walks] of [
  ["broken", 200, 1],
  ["refused", 400, 2],
] as const) {
  test(`a page that stays ${what} ends the backfill, without walking to it again`, async () => {
    await using sandbox = await startSandbox({ identities: PEOPLE, files: false });
    await using place = await makeWorkplace(sandbox);
    let counted = false;
    let pages = 0;
    let walked = 0;
    sandbox.intercept((request, response) => {
      const { pathname, searchParams } = new URL(request.url!, sandbox.origin);
      if (!pathname.endsWith("/identities")) return false;
      if (!searchParams.has("cursor")) {
        // The first walk only counts.
        if (counted) walked += 1;
        counted = true;
        pages = 0;
      }
      pages += 1;
      if (walked === 0 || pages < 3) return false;
      response.writeHead(status).end('{"data":');
      return true;
    });
    const ended = await place.here("backfill", ["--json"]);
    assert.equal(ended.code, 1, ended.stderr);
    assert.equal(walked, walks);
    // Everyone before it is kept.
    assert.equal((await place.stored()).size, 200);
  });
}

describe("limited to a period and a status", () => {
  test("stores only those, and logs no one as gone", async () => {
    await using sandbox = await startSandbox({ identities: 120, files: false });
    await using place = await makeWorkplace(sandbox);
    const people = sandbox.ids().map((_, index) => sandbox.identity(index));
    const times = people.map(({ created }) => created!).sort((a, b) => a - b);
    const [from, to] = [times[30]!, times[90]!];
    const date = (seconds: number) => new Date(seconds * 1000).toISOString();
    const wanted = people.filter(({ created, status }) => created! >= from && created! < to && status === "approved");
    assert.ok(wanted.length > 2);
    const args = ["--from", date(from), "--to", date(to), "--status", "approved"];
    const [summary] = await place.expect<Summary>(0, "backfill", ...args);
    assert.deepEqual([summary!.examined, summary!.new], [wanted.length, wanted.length]);
    const stored = await place.stored();
    for (const { id } of wanted) assert.ok(stored.has(await place.subject(id)), id);
    for (let walk = 0; walk < 2; walk++) await place.expect(0, "backfill", ...args);
    assert.deepEqual(await place.entries("record.gone"), []);
    assert.equal((await place.export()).new, 120 - wanted.length);
  });

  for (const [args, words] of [
    [["--from", "2024-02-01", "--to", "2024-02-01"], /not before/],
    [["--status", "aproved"], /approved/],
    [["--from", "yesterday"], /date/],
    [["--put-price", "1"], /--plan/],
  ] as const) {
    test(`${args.join(" ")}: exit code 2`, async () => {
      await using place = await makeWorkplace({ url: "http://127.0.0.1:9/v2", apiKey: "none" }, { init: false });
      const ended = await place.here("backfill", args);
      assert.equal(ended.code, 2, ended.stderr);
      assert.match(ended.stderr, words);
    });
  }
});

test("--plan says what a backfill will take, and writes nothing", async () => {
  await using sandbox = await startSandbox({ identities: 120, plainImages: true, seed: 5 });
  await using place = await makeWorkplace(sandbox);
  const before = (await place.log()).head.size;
  const ended = await place.here("backfill", ["--plan", "--put-price", "5", "--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  const [plan] = (ended.json as { plan: Estimate[] }).plan;
  assert.deepEqual([plan!.listed, plan!.matching, plan!.toFetch], [120, 120, 120]);
  assert.equal(plan!.bytes, null);
  assert.equal(plan!.cost, (plan!.puts! * 5) / 1000);
  assert.equal((await place.log()).head.size, before);
  // The sample.
  assert.equal(sandbox.requests.of("identity"), 25);

  const [summary] = await place.expect<Summary>(0, "backfill");
  const off = (value: number, truth: number) => Math.abs(value - truth) / truth;
  assert.ok(off(plan!.files!, summary!.files + summary!.withheld) < 0.25, `${plan!.files} of ${summary!.files}`);
  assert.ok(off(plan!.requests, summary!.requests) < 0.25, `${plan!.requests} of ${summary!.requests}`);

  sandbox.change(10);
  const next = (await place.here("backfill", ["--plan", "--json"])).json as { plan: Estimate[] };
  assert.equal(next.plan[0]!.toFetch, 10);
  assert.ok(next.plan[0]!.bytes! > 0);
});
