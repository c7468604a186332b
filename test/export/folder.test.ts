import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { Standings } from "../../src/session/standing.ts";
import { makeWorkplace, type Workplace } from "./workplace.ts";

const SOURCE = {
  ...{ url: "file:./drops", kind: "folder", apiKey: undefined, rate: undefined, concurrency: undefined },
  ready: "_SUCCESS",
  fields: {
    ...{ id: "/applicant", updated: "/changed", status: "/result", email: "/mail", reference: "/customer" },
    ...{ firstName: "/name/first", lastName: "/name/last", dateOfBirth: "/born", numbers: ["/passport/number"] },
    data: { Nationality: "/country" },
  },
  ...{ beside: "images/{id}", verified: ["approved"] },
};

const person = (at: number, more: object = {}) => ({
  ...{ applicant: `app-${at}`, changed: "2024-05-06T07:08:09Z", result: "approved", mail: `p${at}@example.com` },
  ...{ customer: `C-${at}`, name: { first: `Ada${at}`, last: "Canary" }, born: "1990-05-31", country: "DE" },
  ...{ passport: { number: `X${at}` }, ...more },
});

async function drop(place: Workplace, name: string, people: readonly ReturnType<typeof person>[], marked = true) {
  const folder = place.path("drops", name);
  for (const { applicant } of people) {
    await mkdir(join(folder, "images", applicant), { recursive: true });
    await writeFile(join(folder, "images", applicant, "front.jpg"), `front of ${applicant}`);
  }
  await writeFile(join(folder, "people.jsonl"), people.map((one) => `${JSON.stringify(one)}\n`).join(""));
  if (marked) await writeFile(join(folder, "_SUCCESS"), "");
}

test("drops: taken once, changed in a newer one, and never gone; the bag has names and files", async () => {
  await using place = await makeWorkplace(
    { url: "", apiKey: "" },
    { client: { source: SOURCE, lookups: { fields: ["email", "document.number", "metadata.reference"] } } },
  );
  const people = [1, 2, 3].map((at) => person(at));
  await drop(place, "2024-06-01", people);
  await drop(place, "2024-06-02", [person(9)], false);
  const checked = await place.here("folder", ["check"]);
  assert.equal(checked.code, 0, checked.stderr);
  assert.match(checked.stdout, /3 people would be taken, from 3 entries in 1 file of 1 drop/);
  assert.match(checked.stdout, /drop 2 is not ready: its marker is missing/);
  assert.doesNotMatch(checked.stdout, /Canary|2024-06|app-/);

  const first = await place.export();
  assert.deepEqual([first.new, first.files, first.failed], [3, 3, 0]);
  const second = await place.export();
  assert.deepEqual([second.new, second.changed, second.files, second.unchanged], [0, 0, 0, 3]);

  // A full export of all, in which one has changed.
  await drop(place, "2024-06-03", [person(1), person(2, { changed: "2024-06-02", result: "declined" }), person(3)]);
  const third = await place.export();
  assert.deepEqual([third.new, third.changed, third.files], [0, 1, 0]);

  // Taken drops may be removed.
  for (const name of await readdir(place.path("drops"))) await rm(place.path("drops", name), { recursive: true });
  for (let night = 0; night < 3; night++) {
    const quiet = await place.export();
    assert.deepEqual([quiet.gone, quiet.failed], [0, 0]);
  }
  assert.deepEqual(await place.entries("record.gone"), []);
  const [compared] = await place.expect<{ gone: { count: number }; vault: { subjects: number } }>(0, "reconcile");
  assert.deepEqual([compared!.gone.count, compared!.vault.subjects], [0, 3]);
  const reconciled = await place.here("reconcile", [], { isTerminal: true });
  assert.match(reconciled.stdout + reconciled.stderr, /the vault has all that the source has/);
  assert.doesNotMatch(reconciled.stdout + reconciled.stderr, /gone|deleted|any more/);
  const reported = await place.here("report", ["--out", place.path("report.html")]);
  assert.equal(reported.code, 0, reported.stderr);
  assert.match(
    await readFile(place.path("report.html"), "utf8"),
    /no longer at the provider<\/td><td class="number ">0</,
  );

  const who = ["--email", "p2@example.com", "--case", "1", "--reason", "audit", "--requested-by", "x"];
  const retrieved = await place.here("retrieve", [...who, "--out", place.path("bag")]);
  assert.equal(retrieved.code, 0, retrieved.stderr);
  const opened = await place.here("open", [
    place.path("bag"),
    "--key",
    place.officer.file,
    "--out",
    place.path("open"),
  ]);
  assert.equal(opened.code, 0, opened.stderr);
  const files = await readdir(place.path("open"), { recursive: true, withFileTypes: true });
  const contents = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), "utf8")),
  );
  assert.ok(contents.some((text) => text.includes("Ada2") && text.includes("Canary")));
  assert.ok(contents.includes("front of app-2"));
});

test("a drop that is not ready: since when, and from when it is taken; nothing of requests or a rate", async () => {
  await using place = await makeWorkplace(
    { url: "", apiKey: "" },
    { client: { source: { ...SOURCE, ready: "PT15M" } } },
  );
  await drop(place, "Canary-1", [person(1)]);
  const said = async (command: string, ...args: string[]) => {
    const { code, stdout, stderr } = await place.here(command, args, { isTerminal: command !== "folder" });
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /Canary/);
    return stdout + stderr;
  };
  const checked = await said("folder", "check");
  assert.match(checked, /no drop is ready yet, so none was read$/m);
  const [, changed, from] =
    /drop 1 is not ready: it last changed at (\S+); if nothing else does, it is taken from (\S+) on/.exec(checked)!;
  assert.equal(Temporal.Instant.from(changed!).until(from!).total("minutes"), 15);
  assert.doesNotMatch(checked, /people would|files beside|digests|reference/);

  await place.configure({ source: SOURCE });
  for (const text of [await said("export", "--dry-run"), await said("backfill", "--plan"), await said("export")])
    assert.doesNotMatch(text, /requests|rate|at least/);
});

test("the record has the line to the byte, and doctor says what is not ready", async () => {
  await using place = await makeWorkplace({ url: "", apiKey: "" }, { client: { source: SOURCE } });
  await drop(place, "1", [person(1)]);
  await drop(place, "2", [person(2)], false);
  await place.export();
  const [stored] = await place.entries("record.stored");
  const record = await place.record(stored!);
  assert.deepEqual(record.raw, [{ endpoint: "folder JSON Lines", text: JSON.stringify(person(1)) }]);
  assert.equal(record.files[0]!.sha256, createHash("sha256").update("front of app-1").digest("hex"));
  const doctor = await place.here("doctor");
  assert.match(doctor.stdout, /source +the source can be read/);
  assert.match(doctor.stdout, /1 of 2 drops is not taken yet: the file _SUCCESS is not at the top/);
});

test("folder check says what is missing where it finds no one", async () => {
  await using place = await makeWorkplace({ url: "", apiKey: "" }, { client: { source: SOURCE } });
  const check = async () => {
    const { stdout, stderr } = await place.here("folder", ["check"]);
    return stdout + stderr;
  };
  assert.match(await check(), /folder: \/\S+ is not there \(ENOENT\).*Check the source's url/);
  await mkdir(place.path("drops"));
  assert.match(await check(), /no drop is there: put each into a folder of its own/);
  await mkdir(place.path("drops/1"));
  await writeFile(place.path("drops/1/_SUCCESS"), "");
  assert.match(await check(), /no file with entries is in any drop: check the source's entries/);
  await writeFile(place.path("drops/1/people.csv"), "id,updated\n");
  assert.match(await check(), /no file has an entry that can be read/);
  await drop(place, "2", [person(1)]);
  await writeFile(place.path("drops/2/people.jsonl"), '{"id":"1"}\n');
  assert.match(await check(), /^ {2}id +0 {2}no entry has it: check fields.id$/m);
});

test("a bad line fails alone, in every run until it is corrected", async () => {
  await using place = await makeWorkplace({ url: "", apiKey: "" }, { client: { source: SOURCE } });
  await drop(place, "1", [person(1)]);
  await writeFile(place.path("drops/1/more.jsonl"), `{"Canary"\n${JSON.stringify(person(2))}\n`);
  const [summary] = await place.expect<Summary>(3, "export");
  assert.deepEqual([summary!.new, summary!.failed], [2, 1]);
  const again = await place.here("export", [], { isTerminal: true });
  assert.match(again.stdout + again.stderr, /cannot be read, or have no readable id.*\s.*holdfast folder check/);
  const checked = await place.here("folder", ["check"]);
  assert.equal(checked.code, 3);
  assert.match(checked.stdout, /drop 1, file 1, line 1: is not JSON/);
  assert.doesNotMatch(checked.stdout + checked.stderr, /Canary/);
  await rm(place.path("drops/1/more.jsonl"));
  assert.equal((await place.export()).failed, 0);
});

test("a drop that does not become whole is counted by each run, and needs attention after three days", async () => {
  await using place = await makeWorkplace({ url: "", apiKey: "" }, { client: { source: SOURCE } });
  await drop(place, "Canary-1", [person(1)]);
  await drop(place, "Canary-2", [person(2)], false);
  const first = await place.export();
  assert.deepEqual([first.new, first.waiting, first.stalled, first.outcome], [1, 1, 0, "done"]);
  const told = await place.here("status");
  assert.match(told.stdout, /^ {2}drops +folder: 1 drop is not complete yet, and not taken$/m);

  const later = Temporal.Now.instant().add({ hours: 73 });
  const now = () => later;
  const again = await place.here("export", [], { now, isTerminal: true });
  assert.equal(again.code, 0, again.stderr);
  assert.match(
    again.stdout + again.stderr,
    /waiting +1 drop is not complete yet, and not taken; for more than three days/,
  );
  assert.match(
    again.stdout + again.stderr,
    /drops that began more than three days ago are not complete, and not taken/,
  );
  assert.equal((await place.entries("run.finished")).at(-1)!.counts.stalled, 1);
  const dry = await place.here("export", ["--dry-run"], { now, isTerminal: true });
  assert.match(dry.stdout + dry.stderr, /waiting +1 drop is not complete yet/);
  const reconciled = await place.here("reconcile", [], { now, isTerminal: true });
  assert.match(reconciled.stdout + reconciled.stderr, /waiting +1 drop is not complete yet/);
  const status = await place.here("status", [], { now });
  assert.match(status.stdout, /^! drops +folder: 1 drop is not complete yet/m);
  const doctor = await place.here("doctor", [], { now });
  assert.match(doctor.stdout, /1 of 2 drops is not taken yet: .*; 1 for more than three days/);
  const checked = await place.here("folder", ["check"], { now });
  assert.match(checked.stdout, /drop 2 is not ready, and began more than three days ago: its marker is missing/);
  await place.here("report", ["--out", place.path("report.html")], { now });
  const report = await readFile(place.path("report.html"), "utf8");
  assert.match(report, /1 drop of the source folder began more than three days before its last run/);
  const metrics = new Metrics("1");
  const client = await place.client();
  new Standings(metrics, () => [client], now).show();
  assert.match(await metrics.text(), /^holdfast_drops_stalled\{client="acme-bank",source="folder"\} 1$/m);
  for (const { stdout, stderr } of [told, again, dry, reconciled, status, doctor, checked])
    assert.doesNotMatch(stdout + stderr, /Canary/);

  await writeFile(place.path("drops/Canary-2/_SUCCESS"), "");
  const next = () => later.add({ hours: 24 });
  const done = await place.here("export", ["--json"], { now: next });
  const [summary] = (done.json as { clients: Summary[] }).clients;
  assert.deepEqual([summary!.new, summary!.waiting, summary!.stalled], [1, 0, 0]);
  assert.doesNotMatch((await place.here("status", [], { now: next })).stdout, /^. drops/m);
});

test("open gives the entry back byte for byte, of JSON, JSON Lines and CSV", async () => {
  const fields = { id: "/id", updated: "/updated", email: "/email", data: { Note: "/note" } };
  const { data: _, ...source } = SOURCE.fields;
  await using place = await makeWorkplace(
    { url: "", apiKey: "" },
    { client: { source: { ...SOURCE, beside: undefined, fields: { ...source, ...fields, status: undefined } } } },
  );
  const at = '"updated":"2024-05-06T07:08:09Z"';
  const texts: Record<string, string> = {
    one: `{\r\n\t"id": "one", ${at},\r\n\t"email":"one@example.com", "n": 1.0e+2, "long": 12345678901234567890.10, "\u00fc": "\\u00fc \u202e"\r\n}\n`,
    two: `{ "id" :"two" , ${at},"email":"two@example.com","x":"]},\\"" }`,
    three: `\t{"id":"three",${at},"email":"three@example.com","a":1,"b":null, "e":[ ] }  \r`,
    four: `id;updated;"email";note\r\n4;2024-05-06 07:08:09;"four@example.com";"two\r\nlines, ""quotes"" and ü"\r`,
  };
  for (const name of ["bag", "open"]) await mkdir(place.path(name));
  const folder = place.path("drops", "1");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "one.json"), texts.one!);
  await writeFile(join(folder, "two.json"), `[{"id":"other",${at}},\n ${texts.two}\n]`);
  await writeFile(join(folder, "three.jsonl"), `\n${texts.three}\n\n`);
  await writeFile(join(folder, "four.csv"), `\uFEFF${texts.four}\n5;2024-05-06;five@example.com;\r\n`);
  await writeFile(join(folder, "_SUCCESS"), "");
  const summary = await place.export();
  assert.deepEqual([summary.new, summary.failed], [6, 0]);
  for (const [name, text] of Object.entries(texts)) {
    const out = place.path("open", name);
    const who = ["--email", `${name}@example.com`, "--case", "1", "--reason", "audit", "--requested-by", "x"];
    const retrieved = await place.here("retrieve", [...who, "--out", place.path("bag", name)]);
    assert.equal(retrieved.code, 0, retrieved.stderr);
    const opened = await place.here("open", [place.path("bag", name), "--key", place.officer.file, "--out", out]);
    assert.equal(opened.code, 0, opened.stderr);
    const record = JSON.parse(await readFile(await recordIn(out), "utf8"));
    assert.deepEqual(Buffer.from(record.raw[0].text), Buffer.from(text), name);
  }
});

/** The record, opened. */
async function recordIn(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true });
  const name = names.find((each) => each.endsWith("record.json")) ?? assert.fail(names.join());
  return join(folder, name);
}
