import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { report } from "../../jobs/report.ts";
import { systemClock } from "../../src/core/clock.ts";
import { onTerminal, withoutTerminal } from "../cli/terminal.ts";
import { session } from "../crash/aftermath.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("files that the provider withheld: reconcile says how many in its first line and ends with 3; the report lists them", {
  skip: withoutTerminal,
}, async () => {
  await using sandbox = await startSandbox({ identities: 8, plainImages: true, withhold: 100 });
  await using place = await makeWorkplace(sandbox);
  const { withheld: files } = await place.export();
  assert.ok(files > 0);
  const people = [...(await place.stored()).values()].filter(([record]) => record!.withheld > 0).length;
  const missing = `${files} files of ${people} verifications are missing: the provider withheld them`;

  const seen = await onTerminal(["reconcile", "--config", place.file], place.folder);
  assert.equal(seen.code, 3, seen.text);
  assert.ok(seen.text.includes(`acme-bank: all records; ${missing}`), seen.text);
  assert.match(seen.text, /^ {2}→ Ask the provider to grant them, then run `holdfast export --withheld`\.$/m);

  assert.equal((await place.here("report", ["--out", place.path("report.html")])).code, 0);
  const page = await readFile(place.path("report.html"), "utf8");
  const attention = page.slice(page.indexOf("Needs attention:"), page.indexOf("</ul>"));
  assert.ok(attention.includes(missing), attention);
  const { stdout } = await place.here("status");
  assert.match(stdout, new RegExp(`^! withheld  ${files} files? of ${people} verifications?$`, "m"));
});

test("the report does not call a verification fine that found objects without a lock", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const last = {
    time: systemClock().toString(),
    problems: 0,
    unlocked: 111,
    entries: 6,
    readData: 5,
    keyTrusted: true,
  };
  await writeFile(place.path("state/acme-bank/last-verify.json"), JSON.stringify(last));
  assert.equal((await place.here("report", ["--out", place.path("report.html"), "--offline"])).code, 0);
  const page = await readFile(place.path("report.html"), "utf8");
  const verified = page.slice(page.indexOf("<dt>Last verified"));
  assert.match(verified.slice(0, verified.indexOf("</dd>")), /class="bad">[^<]*: 111 objects not locked</);
});

test("the report speaks of the last export as it ended, and of the failed ones before it in a second line", async () => {
  await using sandbox = await startSandbox({ identities: 3, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  const refuse = (): void =>
    sandbox.intercept((_request, response) => {
      response.writeHead(401).end("{}");
      return true;
    });
  const text = async (): Promise<string> => {
    assert.equal((await place.here("report", ["--out", place.path("report.html"), "--offline"])).code, 0);
    const page = await readFile(place.path("report.html"), "utf8");
    return page
      .slice(page.indexOf("<main>"))
      .replace(/<[^>]+>/g, " ")
      .replace(/\s+/g, " ");
  };
  refuse();
  assert.notEqual((await place.here("export")).code, 0);
  sandbox.intercept(undefined);
  await place.export();
  await place.export();
  const day = Temporal.Now.plainDateISO("UTC").toString();
  const good = await text();
  assert.match(
    good,
    new RegExp(`Last export: ${day} \\d\\d:\\d\\d UTC, succeeded ?\\. ${day}: 1 of 3 runs failed \\(passbase\\)\\.`),
  );
  assert.doesNotMatch(good, /The last export, on/);
  assert.match(good, /Run succeeded; 1 of 3 runs failed \(passbase\)/);

  refuse();
  assert.notEqual((await place.here("export")).code, 0);
  const bad = await text();
  assert.match(bad, new RegExp(`The last export, on ${day}, failed\\.`));
  assert.match(
    bad,
    new RegExp(`Last export: ${day} \\d\\d:\\d\\d UTC, failed ?\\. ${day}: 2 of 4 runs failed \\(passbase\\)\\.`),
  );
});

test("locks that have ended come first and in red; locks that are only due for extension are no concern", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const here = await session(place);
  // Locks are set for 90 days, and extended with less than 30 days left.
  const pageAfter = async (days: number): Promise<string> => {
    const now = () => systemClock().add({ hours: 24 * days });
    await report({ ...here, now }, { out: place.path("report.html"), offline: true });
    return readFile(place.path("report.html"), "utf8");
  };
  const ended = await pageAfter(91);
  const words =
    "2 objects that must be kept are no longer locked: the lock has ended. Run `holdfast retention extend`.";
  assert.ok(ended.includes(`<p class="bad">${words}</p>`), ended);
  assert.match(
    ended,
    /<strong class="bad">Needs attention:<\/strong>\s*<ul><li class="bad">2 objects that must be kept/,
  );
  const due = await pageAfter(61);
  assert.doesNotMatch(due, /no longer locked|class="bad"/);
  assert.match(due, /2 objects are locked, and due for a longer lock: the next export sets it\./);
  assert.match(await pageAfter(1), /All locks are current\./);
  // Half a year on, the runs are no longer among the nights that are shown: they were not "never".
  assert.match(await pageAfter(180), /No export ran in the last 120 nights\./);
});
