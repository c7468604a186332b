import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { test } from "node:test";
import type { Reconciled } from "../../jobs/reconcile.ts";
import type { Summary } from "../../src/export/summary.ts";
import { CLIENT, makeWorkplace, type Workplace } from "../export/workplace.ts";
import { startVeriff, type Veriff } from "../sandbox/veriff/server.ts";
import { withoutCeph } from "../servers/s3.ts";

const PEOPLE = 20;
const DAY = 86_400_000;

const client = ({ integrationKey }: Veriff, resync: string) => ({
  source: { kind: "veriff", integrationKey, resync, rate: "10000/s" },
  lookups: { fields: ["metadata.vendorData"] },
});

async function listed(place: Workplace, veriff: Veriff): Promise<string> {
  const list = place.path("ids.txt");
  await writeFile(list, veriff.ids().join("\n"));
  return list;
}

test("what needs a list says that the provider has no list, and how to name people instead", async () => {
  await using veriff = await startVeriff({ identities: PEOPLE, plainImages: true, screens: false });
  await using place = await makeWorkplace(veriff, { client: client(veriff, "P30D") });
  const backfill = await place.here("backfill");
  assert.equal(backfill.code, 2, backfill.stderr);
  assert.match(backfill.stderr, /Veriff cannot list its sessions, so a backfill does not know whom to ask about/);
  assert.match(backfill.stderr, /--ids <file>/);
  assert.doesNotMatch(backfill.stderr, /--references/, "Veriff looks up no reference");
  const plan = await place.here("backfill", ["--plan"]);
  assert.equal(plan.code, 2, plan.stderr);
  const night = await place.here("export");
  assert.equal(night.code, 0, night.stderr);
  assert.match(night.stderr, /no one was exported: the provider cannot list everyone.*backfill --ids/);
  const reconciled = await place.here("reconcile");
  assert.equal(reconciled.code, 3, reconciled.stderr);
  assert.match(reconciled.stderr, /could not check whether the vault has everyone: Veriff cannot list its sessions/);
  assert.match(reconciled.stderr, /backfill --ids.*compares a list of ids/);

  assert.equal((await place.here("backfill", ["--ids", await listed(place, veriff)])).code, 0);
  const [compared] = await place.expect<Reconciled>(3, "reconcile");
  assert.match(compared!.notCompared!, /^Veriff cannot list its sessions$/);
  // No figure is given that was not found out.
  const { source, missing, changed, past } = compared!;
  assert.deepEqual(source, { name: "veriff", listed: null, unreadable: null });
  assert.deepEqual([missing, changed, past], [null, null, null]);
  // What the log alone tells is compared all the same.
  assert.deepEqual([compared!.vault.subjects, compared!.failed.count, compared!.gone.count], [PEOPLE, 0, 0]);
  const told = await place.here("reconcile", [], { isTerminal: true });
  assert.match(told.stderr, new RegExp(`${CLIENT}: could not compare the source with the vault: Veriff cannot list`));
  assert.match(told.stderr, new RegExp(`^ {2}vault +${PEOPLE} identities`, "m"));
  assert.doesNotMatch(told.stderr, /the vault has all|^ {2}source /m);
  const again = await place.here("export");
  assert.doesNotMatch(again.stderr, /no one was exported/);
  const report = await place.here("report", ["--out", place.path("report.html"), "--json"]);
  assert.equal(report.code, 0, report.stderr);
  const [page] = (report.json as { clients: { notAsked: string; coverage: { gone: { count: number } } }[] }).clients;
  assert.match(page!.notAsked, /Veriff cannot list its sessions/);
  const html = await readFile(place.path("report.html"), "utf8");
  for (const row of ["At the provider, not in the vault", "Changed at the provider since the last export"])
    assert.match(html, new RegExp(`<td>${row}</td><td class="number ">not known</td>`));
  // That no list shows them does not make them gone.
  assert.equal(page!.coverage.gone.count, 0);
});

test("after the state is lost, the log alone tells whom to ask about", { skip: withoutCeph }, async () => {
  let ahead = 0;
  const clock = () => Date.now() + ahead;
  await using veriff = await startVeriff({ identities: PEOPLE, plainImages: true, screens: false, clock });
  await using place = await makeWorkplace(veriff, { vault: "ceph", client: client(veriff, "P10D") });
  const now = () => Temporal.Instant.fromEpochMilliseconds(clock());
  const night = async (code = 0): Promise<Summary> => {
    const ended = await place.here("export", ["--json"], { now });
    assert.equal(ended.code, code, ended.stderr);
    return (ended.json as { clients: Summary[] }).clients[0]!;
  };
  assert.equal((await place.here("backfill", ["--ids", await listed(place, veriff)], { now })).code, 0);
  await night();
  await rm(place.path("state", CLIENT), { recursive: true });
  veriff.remove([3]);
  ahead += 11 * DAY;
  const found = await night(3);
  assert.deepEqual([found.askedInTurn + found.askedWhileOpen, found.gone, found.failed], [PEOPLE, 0, 1]);
  // One 404 may be a fault that passes.
  ahead += DAY;
  const again = await night();
  assert.deepEqual([again.askedAfterFailure, again.gone, again.failed], [1, 1, 0]);
});
