import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
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
  assert.match(doctor.stdout, /1 of 2 drops are not taken yet: the file _SUCCESS is not at the top/);
});

test("a bad line fails alone, in every run until it is corrected", async () => {
  await using place = await makeWorkplace({ url: "", apiKey: "" }, { client: { source: SOURCE } });
  await drop(place, "1", [person(1)]);
  await writeFile(place.path("drops/1/more.jsonl"), `{"Canary"\n${JSON.stringify(person(2))}\n`);
  const [summary] = await place.expect<Summary>(3, "export");
  assert.deepEqual([summary!.new, summary!.failed], [2, 1]);
  const checked = await place.here("folder", ["check"]);
  assert.equal(checked.code, 3);
  assert.match(checked.stdout, /drop 1, file 1, line 1: is not JSON/);
  assert.doesNotMatch(checked.stdout + checked.stderr, /Canary/);
  await rm(place.path("drops/1/more.jsonl"));
  assert.equal((await place.export()).failed, 0);
});
