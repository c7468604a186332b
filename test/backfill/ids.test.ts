import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Estimate } from "../../src/backfill/estimate.ts";
import type { Summary } from "../../src/export/summary.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

const PEOPLE = 130;

/** A vault, a list of some of the provider's ids, and what the list has otherwise. */
async function withList() {
  const sandbox = await startSandbox({ identities: PEOPLE, plainImages: true });
  const place = await makeWorkplace(sandbox);
  const ids = sandbox.ids().slice(0, 110);
  const gone = "00000000-0000-4000-8000-000000000000";
  const list = join(place.folder, "ids.txt");
  const report = join(place.folder, "report.csv");
  // Line 1 is a comment, 2 is empty, 3 to 112 are ids; then one twice, one that no one has, and one that is no id.
  const lines = ["# from the customer database", "", ...ids, ids[0]!, gone, "x".repeat(1_200), ""];
  await writeFile(list, lines.join("\r\n"));
  return { sandbox, place, ids, gone, list, report };
}

/** The report as a map: where a line is there twice, the later one counts. */
async function outcomes(report: string): Promise<Map<number, string>> {
  const [header, ...rows] = (await readFile(report, "utf8")).trimEnd().split("\n");
  assert.equal(header, "line,outcome,list");
  return new Map(rows.map((row) => [Number(row.split(",")[0]), row.split(",")[1]!]));
}

test("a list of ids: each is found once, and those who are not there are named by line", async () => {
  const { sandbox, place, ids, gone, list, report } = await withList();
  await using _ = sandbox;
  await using __ = place;
  const ended = await place.here("backfill", ["--ids", list, "--report", report, "--json"]);
  assert.equal(ended.code, 3, ended.stderr);
  const [of] = (ended.json as { clients: Summary[] }).clients;
  assert.deepEqual([of!.new, of!.notFound, of!.failed, of!.askedByIds], [110, 1, 1, 111]);
  assert.equal(sandbox.requests.of("identities"), 0, "the list was read although ids were given");
  assert.equal((await place.stored()).size, 110);
  const by = await outcomes(report);
  assert.deepEqual([by.get(3), by.get(113), by.get(114), by.get(115)], ["new", "repeated", "not found", "malformed"]);
  assert.equal(by.size, 113);
  for (const text of [ended.stdout, ended.stderr, await readFile(report, "utf8")])
    for (const canary of [...sandbox.canaries(), gone, ...ids]) assert.ok(!text.includes(canary), `${canary} is shown`);
  // No entry about the one who is no one.
  assert.equal((await place.entries("record.failed")).length, 0);
  assert.equal((await place.entries("record.gone")).length, 0);
  const [finished] = await place.entries("run.finished");
  assert.equal(finished!.counts.notFound, 1);

  const again = await place.here("backfill", ["--ids", list]);
  assert.equal(again.code, 3);
  assert.match(again.stderr, /unchanged +110/);
  assert.equal((await place.stored()).size, 110);

  sandbox.vanish([0]);
  const then = await place.here("backfill", ["--ids", list, "--json"]);
  const [after] = (then.json as { clients: Summary[] }).clients;
  assert.deepEqual([after!.gone, after!.unchanged, after!.notFound], [1, 109, 1]);
  assert.equal((await place.entries("record.gone")).length, 1);
});

test("only lines that are no ids, or of no one, are named; the rest is well", async () => {
  const { sandbox, place, ids, list } = await withList();
  await using _ = sandbox;
  await using __ = place;
  await writeFile(
    list,
    `${ids.slice(0, 2).join("\n")}\n11111111-0000-4000-8000-000000000000\n22222222-0000-4000-8000-000000000000\n`,
  );
  const ended = await place.here("backfill", ["--ids", list]);
  assert.equal(ended.code, 3);
  assert.match(ended.stderr, /neither the provider nor the vault has 2 of the list: lines 3, 4/);
  assert.match(ended.stderr, /not found +2/);
  await writeFile(list, ids.slice(0, 2).join("\n"));
  assert.equal((await place.here("backfill", ["--ids", list])).code, 0);
});

test("an interrupted list goes on where it stopped, and the report has every line", async () => {
  const { sandbox, place, ids, list, report } = await withList();
  await using _ = sandbox;
  await using __ = place;
  await writeFile(list, ids.join("\n"));
  await place.configure({ source: { budget: "400/month" } });
  const first = await place.here("backfill", ["--ids", list, "--report", report]);
  assert.notEqual(first.code, 0);
  await place.configure({ source: { budget: "100000/month" } });
  const kept = (await place.stored()).size;
  assert.ok(kept > 0 && kept < 110, `${kept}`);
  assert.equal((await place.here("backfill", ["--ids", list, "--report", report])).code, 0);
  assert.equal((await place.stored()).size, 110);
  assert.deepEqual(
    [...(await outcomes(report)).keys()].toSorted((a, b) => a - b),
    ids.map((_, at) => at + 1),
  );
});

test("standard input is a list too", async () => {
  const { sandbox, place, ids } = await withList();
  await using _ = sandbox;
  await using __ = place;
  const running = place.start("backfill", ["--ids", "-", "--json"], { input: `${ids.slice(0, 3).join("\n")}\n` });
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal((await place.stored()).size, 3);
});

test("a pipe that is named as a file is a list too, though it can be read only once", async () => {
  const { sandbox, place, ids } = await withList();
  await using _ = sandbox;
  await using __ = place;
  const pipe = place.path("pipe");
  execFileSync("mkfifo", [pipe]);
  const running = place.start("backfill", ["--ids", pipe, "--json"]);
  await writeFile(pipe, `${ids.slice(0, 3).join("\n")}\n`);
  const ended = await running.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal((await place.stored()).size, 3);
});

test("a wait for a pipe that no one writes to ends with a signal", async () => {
  const { sandbox, place } = await withList();
  await using _ = sandbox;
  await using __ = place;
  const pipe = place.path("pipe");
  execFileSync("mkfifo", [pipe]);
  const running = place.start("backfill", ["--ids", pipe]);
  // This ends once the other end is opened for reading.
  await using _silent = await open(pipe, "w");
  running.kill("SIGTERM");
  const ended = await running.ended;
  assert.equal(ended.code, 130, ended.stderr);
  assert.equal((await place.stored()).size, 0);
});

test("a long comment says nothing, and a line that is not UTF-8 is malformed", async () => {
  const { sandbox, place, ids, list } = await withList();
  await using _ = sandbox;
  await using __ = place;
  const lines = [`# ${"long ".repeat(500)}\n${ids[0]}\n`, Buffer.from([0x4d, 0xfc, 0x6c]), "\n"];
  await writeFile(list, Buffer.concat(lines.map((part) => Buffer.from(part as string))));
  const ended = await place.here("backfill", ["--ids", list, "--json"]);
  const [of] = (ended.json as { clients: Summary[] }).clients;
  assert.deepEqual([of!.new, of!.failed, of!.notFound], [1, 1, 0]);
  assert.equal(ended.code, 3);
  assert.match(ended.stderr, /1 line is no id: 3/);
  // More than a message names are told as such too, and not as records that a later run takes.
  await writeFile(list, `${"x".repeat(1_200)}\n`.repeat(30));
  const many = await place.here("backfill", ["--ids", list]);
  assert.equal(many.code, 3);
  assert.match(many.stderr, /30 lines are no ids: 1, 2, .*, 20, …/);
});

test("the plan of a list says what its lines are, how many of a sample are there, and asks about no one else", async () => {
  const { sandbox, place, list } = await withList();
  await using _ = sandbox;
  await using __ = place;
  const ended = await place.here("backfill", ["--ids", list, "--plan", "--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  const [plan] = (ended.json as { plan: Estimate[] }).plan;
  const { found, notFound, ...counts } = plan!.list!;
  assert.deepEqual(counts, { are: "ids", lines: 113, distinct: 111, repeated: 1, malformed: 1, kept: 0, asked: 25 });
  assert.ok(found >= 24 && found + notFound === 25, `${found} and ${notFound}`);
  assert.equal(plan!.toFetch, Math.round((111 * found) / 25));
  assert.equal(sandbox.requests.of("identity"), 25);
  assert.equal((await place.stored()).size, 0);
  const said = await place.here("backfill", ["--ids", list, "--plan"]);
  assert.match(said.stderr, /what a backfill of this list will take/);
  assert.match(said.stderr, /lines +113: 111 ids, 1 repeated, 1 malformed/);
  assert.match(said.stderr, /sampled +25: (25 found, 0|24 found, 1) not found/);
  assert.match(said.stderr, /to fetch +about 1\d\d/);
  assert.doesNotMatch(said.stderr, /listed|kept/);
});

test("the plan of a list counts whom the vault has, and estimates files and writes for the others", async () => {
  const { sandbox, place, ids, list } = await withList();
  await using _ = sandbox;
  await using __ = place;
  const plan = async (): Promise<[Estimate, string]> => {
    const { json } = await place.here("backfill", ["--ids", list, "--plan", "--json"]);
    const said = await place.here("backfill", ["--ids", list, "--plan"]);
    return [(json as { plan: Estimate[] }).plan[0]!, said.stderr];
  };
  await writeFile(list, ids.slice(0, 12).join("\n"));
  await place.expect(0, "backfill", "--ids", list);
  const stored = await plan();
  assert.deepEqual([stored[0].toFetch, stored[0].files, stored[0].bytes, stored[0].list!.kept], [0, 0, 0, 12]);
  assert.match(stored[1], /kept +12 in the vault already/);
  assert.match(stored[1], /sampled +no one"," +to fetch +0"," +files +0"," +sealed +0"/);
  await writeFile(list, ids.slice(0, 20).join("\n"));
  const some = await plan();
  assert.deepEqual([some[0].toFetch, some[0].list!.kept, some[0].list!.asked], [8, 12, 8]);
  assert.match(some[1], /sampled +all 8: 8 found, 0 not found/);
  assert.match(some[1], /files +about \d+ \(estimated from 8 identities\)/);
  assert.match(some[1], /sealed +unknown until the vault has 20 records; it has 12"/);
  assert.ok(some[0].puts! < 8 + some[0].files! + 20, `${some[0].puts}`);
  assert.ok(some[0].requests > 20 + 8 + some[0].files!, "those who are kept are asked about too");
});

test("a plan of which no one was found says that it cannot estimate, and what to do", async () => {
  const { sandbox, place, list } = await withList();
  await using _ = sandbox;
  await using __ = place;
  const strangers = Array.from({ length: 40 }, (_, at) => `00000000-0000-4000-8000-0000000000${10 + at}`);
  await writeFile(list, strangers.join("\n"));
  const said = await place.here("backfill", ["--ids", list, "--plan", "--put-price", "5"]);
  assert.equal(said.code, 0, said.stderr);
  assert.match(said.stderr, /sampled +25: 0 found, 25 not found/);
  for (const row of ["to fetch", "files", "sealed", "S3 writes"])
    assert.match(said.stderr, new RegExp(`${row} +cannot be estimated: no one of the sample was found`));
  assert.match(said.stderr, /requests +at least 41 to the source/);
  assert.match(said.stderr, /next +check that the list is of this source's project/);
  for (const id of strangers) assert.ok(!said.stderr.includes(id));
  const [plan] = ((await place.here("backfill", ["--ids", list, "--plan", "--json"])).json as { plan: Estimate[] })
    .plan;
  assert.deepEqual([plan!.toFetch, plan!.files, plan!.bytes, plan!.puts], [null, null, null, null]);
});

test("a short list is asked about whole, and a list of nothing but malformed lines takes nothing", async () => {
  const { sandbox, place, ids, gone, list } = await withList();
  await using _ = sandbox;
  await using __ = place;
  await writeFile(list, [...ids.slice(0, 3), gone].join("\n"));
  const said = await place.here("backfill", ["--ids", list, "--plan"]);
  assert.match(said.stderr, /lines +4: 4 ids\b/);
  assert.match(said.stderr, /sampled +all 4: 3 found, 1 not found/);
  assert.match(said.stderr, /to fetch +3\b/);
  await writeFile(list, "x".repeat(1_200));
  const none = await place.here("backfill", ["--ids", list, "--plan"]);
  assert.match(none.stderr, /lines +1: 0 ids, 1 malformed/);
  assert.match(none.stderr, /sampled +no one/);
  assert.match(none.stderr, /to fetch +0\b/);
});

test("wrong uses say how it is right", async () => {
  const { sandbox, place, list, report } = await withList();
  await using _ = sandbox;
  await using __ = place;
  const says = async (pattern: RegExp, ...args: string[]) => {
    const ended = await place.here("backfill", args);
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, pattern);
  };
  await says(/ENOENT/, "--ids", join(place.folder, "nowhere.txt"));
  await says(/--report needs --ids or --references/, "--report", report);
  await says(/Passbase cannot look up identities by a reference/, "--references", list);
  await writeFile(report, "line,outcome,list\n1,new,0123456789ab\n");
  await says(/is the report of another list/, "--ids", list, "--report", report);
  await says(/cannot be used with/, "--ids", list, "--from", "2026-01-01");
  await writeFile(report, "something else\n");
  await says(/is not a report of an earlier backfill/, "--ids", list, "--report", report);
  assert.equal(await readFile(report, "utf8"), "something else\n");
  await writeFile(list, "\n# nothing\n");
  await says(/the list of ids is empty/, "--ids", list);
});
