import assert from "node:assert/strict";
import { readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { exportClients } from "../../jobs/export.ts";
import { placeHold } from "../../jobs/hold.ts";
import { reconcile } from "../../jobs/reconcile.ts";
import { endRelationship } from "../../jobs/relationship.ts";
import { report } from "../../jobs/report.ts";
import { verify } from "../../jobs/verify.ts";
import { systemClock } from "../../src/core/clock.ts";
import { HoldfastError } from "../../src/core/error.ts";
import { noProgress } from "../../src/observe/progress.ts";
import { html } from "../../src/page/html.ts";
import { bars } from "../../src/report/chart.ts";
import type { Coverage } from "../../src/report/coverage.ts";
import { nightsOf } from "../../src/report/nights.ts";
import type { Report } from "../../src/report/report.ts";
import { makeLogVault } from "../bench/log-vault.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";
import { startChromium } from "../servers/chromium.ts";
import { withoutCeph } from "../servers/s3.ts";

const NO_ONE = { identities: [], emails: [], references: [] };
const daysAgo = (days: number) => () => systemClock().subtract({ hours: 24 * days });

test("a signal stops a report while it looks at each person", async () => {
  await using vault = await makeLogVault({ entries: 500 });
  const stopping = new AbortController();
  const at = await session(vault.place);
  const seen: number[] = [];
  const progress = (label: string) => ({
    ...noProgress,
    update: (done: number) => {
      if (!label.endsWith("what is kept")) return;
      seen.push(done);
      // As a signal: in a turn of its own.
      setImmediate(() => stopping.abort(new HoldfastError("interrupted", "interrupted")));
    },
  });
  const stopped = { ...at, signal: stopping.signal, console: { ...at.console, progress } };
  await assert.rejects(report(stopped, { offline: true }), { code: "interrupted" });
  assert.equal(seen.length, 1);
});

describe("reconcile", () => {
  for (const kind of ["directory", "ceph"] as const) {
    test(`${kind}: what is missing on either side, by subject`, { skip: kind === "ceph" && withoutCeph }, async () => {
      await using sandbox = await startSandbox({ identities: 8, plainImages: true });
      await using place = await makeWorkplace(sandbox, { vault: kind });
      const [first, second, third] = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
      await place.export("--identity", sandbox.ids()[0]!);
      const before = await place.expect<Coverage>(3, "reconcile");
      assert.equal(before[0]!.missing.count, 7);
      assert.ok(!before[0]!.missing.subjects.includes(first!));
      await place.export();
      const [whole] = await place.expect<Coverage>(0, "reconcile");
      assert.deepEqual([whole!.missing.count, whole!.changed.count, whole!.gone.count], [0, 0, 0]);
      assert.deepEqual([whole!.source!.listed, whole!.vault.subjects], [8, 8]);
      sandbox.change([1]);
      sandbox.vanish([2]);
      const [after] = await place.expect<Coverage>(3, "reconcile");
      assert.deepEqual(after!.changed.subjects, [second]);
      assert.deepEqual(after!.gone.subjects, [third]);
      const { stdout, stderr } = await place.here("reconcile");
      for (const canary of sandbox.canaries()) assert.ok(!(stdout + stderr).includes(canary), canary);
    });
  }

  test("what was purged, and what the provider withholds", async () => {
    await using sandbox = await startSandbox({ identities: 3, plainImages: true, withhold: 100 });
    const retention = { keep: "PT1S", from: "exported", initialLock: "PT1S", extendWhenLessThan: "PT0.5S" };
    await using place = await makeWorkplace(sandbox, { client: { retention } });
    await place.export();
    const [withheld] = await place.expect<Coverage>(3, "reconcile");
    assert.ok(withheld!.withheld.count > 0);
    await delay(2_100);
    assert.equal((await place.here("retention", ["purge", "--confirm", "--out", place.path("d")])).code, 0);
    const [purged] = await place.expect<Coverage>(0, "reconcile");
    assert.deepEqual([purged!.past.count, purged!.purged, purged!.missing.count], [3, 3, 0]);
  });
});

describe("report", () => {
  test("tells what is kept, until when, and what needs attention; loads nothing, and identifies no one", async () => {
    await using sandbox = await startSandbox({ identities: 12, plainImages: true });
    await using place = await makeWorkplace(sandbox, {});
    const here = await session(place);
    await exportClients({ ...here, now: daysAgo(5) }, {});
    sandbox.change([3]);
    await exportClients({ ...here, now: daysAgo(4) }, {});
    const ids = await Promise.all(sandbox.ids().map((id) => place.subject(id)));
    const date = systemClock().toZonedDateTimeISO("UTC").toPlainDate();
    await endRelationship(here, { ...NO_ONE, subjects: [ids[0]!], date: date.toString() });
    await placeHold(here, { ...NO_ONE, subjects: [ids[1]!], case: "AZ 77/26", reason: "an inquiry" });
    sandbox.change([4]);
    const out = place.path("report.html");
    const [of] = await report(here, { out, offline: false });
    assert.deepEqual(
      of!.nights.map(({ outcome }) => outcome),
      ["done", "done", "none", "none", "none", "none"],
    );
    assert.equal(of!.coverage.changed.count, 1);
    assert.equal(of!.horizon.ended, 1);
    assert.deepEqual(
      of!.horizon.due.map(({ month }) => month),
      [date.add({ days: 1, years: 5 }).toString().slice(0, 7)],
    );
    assert.equal(
      of!.horizon.due[0]!.objects + of!.horizon.open.objects,
      of!.coverage.vault.versions + of!.coverage.vault.files,
    );
    assert.deepEqual(
      of!.holds.map(({ subject }) => subject),
      [ids[1]],
    );
    assert.equal(
      of!.growth.reduce((sum, { bytes }) => sum + bytes, 0),
      of!.coverage.vault.bytes,
    );

    const text = await readFile(out, "utf8");
    for (const personal of [...sandbox.canaries(), "AZ 77/26", "an inquiry"]) {
      assert.ok(!text.includes(personal) && !JSON.stringify(of).includes(personal), personal);
    }
    const browser = await startChromium();
    try {
      const requests: string[] = [];
      const page = await browser.newPage();
      page.on("request", (request) => requests.push(request.url()));
      const errors: string[] = [];
      page.on("console", (message) => errors.push(message.text()));
      await page.goto(pathToFileURL(out).href);
      assert.deepEqual([requests.length, errors], [1, []]);
      const words = await page.locator("main").textContent();
      assert.match(words!, /1 verification changed at the source/);
      assert.match(words!, /No export ran for 4 nights/);
      assert.match(words!, /never verified on this machine/);
      assert.equal(await page.locator("svg[role=img] title").first().count(), 1);
      await page.locator("summary").first().click();
      assert.ok(await page.getByRole("cell", { name: "No run" }).first().isVisible());
    } finally {
      await browser.close();
    }

    await verify(here, { readData: 100 });
    const [later] = await report(here, { offline: true });
    assert.deepEqual([later!.verified?.problems, later!.verified?.readData], [0, 100]);
    assert.deepEqual([later!.notAsked, later!.coverage.source], ["--offline", null]);
  });

  test("the provider is gone forever: the report says so, and tells what is kept", async () => {
    const place = await (async () => {
      await using sandbox = await startSandbox({ identities: 2, files: false });
      const made = await makeWorkplace(sandbox, {});
      await exportClients(await session(made), {});
      return made;
    })();
    await using _ = place;
    const patience = { retry: { retries: 0, minDelay: 1, maxDelay: 1, maxRetryAfter: 1 } };
    const [of] = await report({ ...(await session(place)), patience }, { offline: false });
    assert.match(of!.notAsked!, /./);
    assert.equal(of!.coverage.vault.subjects, 2);
  });

  test("a client whose vault cannot be read: the others are told, and the page says who is not", async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox, { init: false });
    await place.addClient("broken-bank");
    await place.expect(0, "init");
    await place.expect(0, "export");
    await rm(place.path("vault", "broken-bank"), { recursive: true });
    const ended = await place.here("report", ["--out", place.path("report.html"), "--json"]);
    const { clients, failures } = ended.json as { clients: Report[]; failures: { client: string; code: string }[] };
    assert.deepEqual(
      [clients.map(({ client }) => client), failures.map(({ client }) => client)],
      [["acme-bank"], ["broken-bank"]],
    );
    const page = await readFile(place.path("report.html"), "utf8");
    assert.match(page, /Not in this report:<\/p>\s*<ul><li>broken-bank: [^<]+<\/li>/);
    assert.notEqual(ended.code, 0);
    const reconciled = await place.here("reconcile", ["--json"]);
    assert.equal(reconciled.code, ended.code);
    assert.equal((reconciled.json as { clients: { source: { listed: number } }[] }).clients[0]!.source.listed, 2);
  });

  test("--out replaces an earlier report, and nothing else: no config, no key, no page, nothing behind a link", async () => {
    await using sandbox = await startSandbox({ identities: 1, files: false });
    await using place = await makeWorkplace(sandbox);
    const out = place.path("report.html");
    const run = (path: string) => place.here("report", ["--out", path, "--offline"]);
    assert.equal((await run(out)).code, 0);
    await writeFile(out, (await readFile(out, "utf8")).replace("</main>", "an older report</main>"));
    // What an attacker put in the way of the temporary file.
    const victim = place.path("victim");
    await writeFile(victim, "untouched");
    await symlink(victim, `${out}.partial`);
    const again = await run(out);
    assert.equal(again.code, 0, again.stderr);
    assert.ok(!(await readFile(out, "utf8")).includes("an older report"));
    assert.equal((await stat(out)).mode & 0o777, 0o600);
    await symlink(out, place.path("link.html"));
    await writeFile(place.path("other.html"), "<!doctype html>\n<title>Minutes</title>");
    for (const other of [victim, place.path("other.html"), place.path("link.html"), place.path("vault")]) {
      const names = await readdir(place.path());
      const before = (await stat(other)).isFile() ? await readFile(other, "utf8") : "";
      const refused = await run(other);
      assert.equal(refused.code, 2, refused.stderr);
      assert.match(refused.stderr, /is there already and is no report/);
      assert.equal((await stat(other)).isFile() ? await readFile(other, "utf8") : "", before);
      assert.deepEqual(await readdir(place.path()), names);
    }
    assert.equal(await readFile(victim, "utf8"), "untouched");
  });

  test("neither a page nor figures: code 2", async () => {
    await using sandbox = await startSandbox({ identities: 1, files: false });
    await using place = await makeWorkplace(sandbox);
    assert.equal((await place.here("report")).code, 2);
    const reports = await place.expect<Report>(0, "report");
    assert.deepEqual(reports[0]!.nights, []);
    assert.equal((await reconcile(await session(place)))[0]!.missing!.count, 1);
  });
});

test("charts of nothing, of one, of many, and of very different sizes", () => {
  const chart = (values: number[]) =>
    bars({
      id: "x",
      title: "t",
      labels: values.map(String),
      empty: "No export has run yet.",
      short: String,
      series: [{ name: "s", colour: "accent", values }],
      format: String,
    }).text;
  assert.match(chart([]), /No export has run yet/);
  // A chart of one or two bars says less than its table.
  assert.doesNotMatch(chart([1, 2]), /<rect|<details/);
  assert.match(chart([7, 8]), /<td class="day">7<\/td><td class="number">7<\/td>/);
  assert.equal(chart(Array.from({ length: 400 }, (_, at) => at + 1)).match(/<rect/g)!.length, 400);
  // What is tiny beside the others is seen all the same; what is not there is not.
  assert.equal(chart([1_000_000, 1, 0]).match(/<rect/g)!.length, 2);
  assert.ok(!/NaN|Infinity|height="0%"/.test(chart([0, 0, 0])));
  // A first export does not flatten what comes after it: it is cut, and says how much it was.
  const heights = [...chart([20_000, 12, 8, 10]).matchAll(/ height="([\d.]+)%" class="fill/g)].map(
    ([, height]) => +height!,
  );
  assert.ok(
    heights.every((height) => height > 15),
    heights.join(),
  );
  assert.match(chart([20_000, 12, 8, 10]), /↑ 20000/);
  assert.doesNotMatch(chart([20, 12, 8, 10]), /↑/);
  assert.match(chart([...Array(20).fill(9), 20_000]), /text-anchor="end">↑ 20000/);
});

test("what is put into a page is text", () => {
  assert.equal(html`<p title="${'"x'}">${"<script>'&"}</p>`.text, '<p title="&#34;x">&#60;script&#62;&#39;&#38;</p>');
});

test("nights: the last of its runs counts, the others are told by number, and nights without a run are there", () => {
  const run = (day: string, outcome: string | null, job = "export", source: string | null = null) => ({
    ...{ run: `${day}-${outcome}`, job, source, started: `${day}T02:30:00.000Z`, finished: null, outcome },
    counts: { new: 2, changed: 1, failed: outcome === "partial" ? 3 : 0 },
  });
  const today = Temporal.PlainDate.from("2026-11-06");
  const runs = [
    run("2026-11-01", "partial"),
    run("2026-11-01", "failed"),
    run("2026-11-01", "failed"),
    run("2026-11-01", "done"),
    run("2026-11-03", null),
    run("2026-11-04", "done", "retention"),
  ];
  const nights = nightsOf(runs, today, 120, false);
  assert.deepEqual(
    nights.map(({ outcome }) => outcome),
    ["done", "none", "unended", "none", "none", "none"],
  );
  assert.deepEqual([nights[0]!.stored, nights[0]!.failed, nights[0]!.runs], [12, 3, 4]);
  assert.deepEqual(
    nights.map(({ unwell }) => unwell),
    [{ partial: 1, failed: 2 }, {}, { unended: 1 }, {}, {}, {}],
  );
  const [begun] = nightsOf([run("2026-11-06", null), run("2026-11-06", null)], today, 120, true);
  assert.deepEqual([begun!.outcome, begun!.unwell], ["running", { unended: 1 }]);
  assert.equal(nightsOf(runs, today, 3, false)[0]!.day, "2026-11-04");
  assert.deepEqual(nightsOf([], today, 3, false), []);
  // What is exported at once is counted, and is no night.
  const atOnce = [run("2026-11-01", "failed", "inbox"), run("2026-11-02", "done", "inbox")];
  const [night, quiet] = nightsOf([...runs, ...atOnce], today, 120, false);
  assert.deepEqual([night!.outcome, night!.runs, night!.stored], ["done", 4, 15]);
  assert.deepEqual([quiet!.outcome, quiet!.runs, quiet!.time, quiet!.stored], ["none", 0, null, 3]);
  assert.deepEqual(nightsOf(atOnce, today, 120, false), []);
  // A source that failed is not hidden by the next one, which did not.
  const each = (outcome: string, source: string) => run("2026-11-06", outcome, "export", source);
  const [both] = nightsOf([each("failed", "passbase"), each("done", "persona")], today, 120, false);
  assert.equal(both!.outcome, "failed");
  const [good] = nightsOf(
    [each("failed", "passbase"), each("done", "persona"), each("done", "passbase")],
    today,
    120,
    false,
  );
  assert.equal(good!.outcome, "done");
});
