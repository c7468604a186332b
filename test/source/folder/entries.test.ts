import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePointer } from "../../../src/config/pointer.ts";
import { bytesOf, listOf, type Place, pagesOf, place, UPDATED } from "./place.ts";

const entry = (id: string, more: object = {}) => ({ id, updated: UPDATED, email: `${id}@example.com`, ...more });
const FILES = { fields: { ...fields(), files: [parsePointer("/files")] } };

function fields() {
  const { id, updated, email } = { id: ["id"], updated: ["updated"], email: ["email"] };
  return { id, updated, email, numbers: [], files: [], data: {} };
}

test("a cursor continues after its page, and a newer drop is read after that", async () => {
  await using here = await place();
  const ids = Array.from({ length: 250 }, (_, at) => `p${at}`);
  await here.lines("1/people.jsonl", ...ids.map((id) => entry(id)));
  const [first] = await pagesOf(here.open());
  // Another process, to which a newer drop has come meanwhile.
  await here.lines("2/people.jsonl", entry("new"), entry("p0"));
  const rest = await pagesOf(here.open(), first!.cursor!);
  assert.deepEqual(
    rest.flatMap(({ identities }) => identities.map(({ id }) => id)),
    [...ids.slice(100), "new", "p0"],
  );
});

test("JSON Lines: the line to the byte, whatever its white space and line ends", async () => {
  await using here = await place();
  const line = `{ "id" : "a",\t"updated":1714979289, "n": 12345678901234567890.10, "ü": "\\u00fc" }`;
  await here.write("1/people.jsonl", `\uFEFF${line}\r\n\n  \n${JSON.stringify(entry("b"))}`);
  const source = here.open();
  assert.deepEqual([...(await listOf(source)).keys()], ["a", "b"]);
  const { answers, identity } = await source.dossier("a", { full: true });
  assert.deepEqual(answers, [{ endpoint: "folder JSON Lines", text: `${line}\r` }]);
  assert.equal(identity.updated, "2024-05-06T07:08:09Z");
});

test("CSV: header and row to the byte; quotes, semicolons and line breaks in cells", async () => {
  await using here = await place();
  const header = `id;updated;email;note`;
  const row = `a;2024-05-06 07:08:09;"a;@example.com";"two\nlines and ""quotes"""`;
  await here.write("1/people.csv", `${header}\n${row}\nb;2024-05-06;5" disk;\n`);
  const source = here.open();
  assert.deepEqual([...(await listOf(source)).keys()], ["a"]);
  assert.equal((await pagesOf(source))[0]!.unreadable, 1);
  const { answers, identity, content } = await source.dossier("a", { full: true });
  assert.deepEqual(answers, [{ endpoint: "folder CSV", text: `${header}\n${row}` }]);
  assert.deepEqual([identity.updated, identity.owner.email], [UPDATED, "a;@example.com"]);
  assert.equal((content as { entry: { note: string } }).entry.note, 'two\nlines and "quotes"');
});

test("JSON: one entry, or a list of them, each to the byte", async () => {
  await using here = await place();
  const one = `${JSON.stringify(entry("one"), null, 2)}\n`;
  const [first, second] = [`{"id":"a","updated":"2024-05-06","x":"]},\\""}`, `{ "id": "b", "updated": "2024-05-06" }`];
  await here.write("1/one.json", one);
  await here.write("1/two.json", `[\n ${first} ,\n${second}\n]\n`);
  await here.write("1/none.json", "[]");
  const source = here.open();
  assert.deepEqual([...(await listOf(source)).keys()].sort(), ["a", "b", "one"]);
  const texts = ["one", "a", "b"].map(async (id) => (await source.dossier(id, { full: true })).answers[0]!.text);
  assert.deepEqual(await Promise.all(texts), [one, first, second]);
});

test("the newest drop counts, by the order of names, and the last line of an id", async () => {
  await using here = await place();
  await here.lines("drop-9/people.jsonl", entry("a", { n: 9 }), entry("only-9"));
  await here.lines("drop-10/people.jsonl", entry("a", { n: 10 }), entry("a", { n: 11 }));
  const source = here.open();
  assert.deepEqual([...(await listOf(source)).keys()], ["only-9", "a"]);
  const { content } = await source.dossier("a", { full: true });
  assert.equal((content as { entry: { n: number } }).entry.n, 11);
});

test("files by a list of paths, and by a folder of the id's name: each to the byte", async () => {
  await using here = await place();
  const pictures = ["front", "back", "selfie"].map((name) => Buffer.from(`\x89PNG ${name}`, "latin1"));
  await here.lines("1/people.jsonl", entry("a", { files: ["img/front.png", "img/gone.png"] }));
  await here.write("1/img/front.png", pictures[0]!);
  await here.write("1/by-id/a/back.png", pictures[1]!);
  await here.write("1/by-id/a/deep/selfie.png", pictures[2]!);
  await here.write("1/by-id/a/.DS_Store", "left behind");
  const source = here.open({ ...FILES, beside: "by-id/{id}" });
  const { files } = await source.dossier("a", { full: true });
  assert.deepEqual(
    files.map(({ resource, type }) => [resource, type]),
    [
      ["by-id/a/back.png", "other"],
      ["by-id/a/deep/selfie.png", "other"],
      ["img/front.png", "files"],
      ["img/gone.png", "files"],
    ],
  );
  assert.deepEqual(await bytesOf(source, "a", "img/front.png"), pictures[0]);
  assert.deepEqual(await bytesOf(source, "a", "by-id/a/deep/selfie.png"), pictures[2]);
  const back = await source.file("a", files[0]!);
  assert.equal(back.mediaType, "image/png");
  // To its end, which closes it.
  assert.deepEqual(Buffer.concat(await Array.fromAsync(back.bytes)), pictures[1]);
  await assert.rejects(source.file("a", files[3]!), { code: "source-missing" });
});

test("a folder for each person, with the entry in it", async () => {
  await using here = await place();
  for (const id of ["a", "b"]) {
    await here.write(`1/${id}/person.json`, JSON.stringify(entry(id)));
    await here.write(`1/${id}/front.jpg`, id);
  }
  const source = here.open({ entries: ["*", "*", "person.json"], beside: "." });
  assert.deepEqual([...(await listOf(source)).keys()], ["a", "b"]);
  assert.equal(String(await bytesOf(source, "b", "front.jpg")), "b");
  const { files } = await source.dossier("b", { full: true });
  assert.equal(files.length, 1);
});

test("nothing changed: the list says the same, also after the drop was copied; the same entry in a newer drop is no change", async () => {
  await using here = await place();
  const drop = async (name: string) => {
    await here.lines(`${name}/people.jsonl`, entry("a", { files: "a.jpg" }));
    await here.write(`${name}/a.jpg`, "picture");
  };
  await drop("1");
  await here.touch("1/a.jpg", "2024-01-01T00:00:00Z");
  const before = await seen(here);
  assert.deepEqual(await seen(here), before);
  await drop("2");
  const after = await seen(here);
  assert.deepEqual([after.content, after.files], [before.content, before.files]);
});

test("a source that is open sees what changed under it", async () => {
  await using here = await place();
  await here.lines("1/people.jsonl", entry("a"), entry("b", { n: 1 }));
  const source = here.open();
  await listOf(source);
  await here.lines("1/people.jsonl", entry("longer"), entry("b", { n: 2 }));
  await assert.rejects(source.dossier("b", { full: true }), { code: "source-response" });
  const { content } = await source.dossier("b", { full: true });
  assert.equal((content as { entry: { n: number } }).entry.n, 2);
  await here.lines("2/people.jsonl", entry("b", { n: 3 }));
  here.now += 11 * 60_000;
  const fresh = await source.dossier("b", { full: true });
  assert.equal((fresh.content as { entry: { n: number } }).entry.n, 3);
});

test("names, numbers and other values, by the words of the config", async () => {
  await using here = await place();
  await here.lines("1/people.jsonl", {
    ...entry("a", { status: "GREEN", person: { "given/name": "Ada", dob: "1990-05-31", country: "DE" } }),
    docs: [{ no: "X 12" }, { no: 34 }],
    customer: 4711,
  });
  const pointers = {
    ...{ status: "/status", firstName: "/person/given~1name", dateOfBirth: "/person/dob", reference: "/customer" },
  };
  const named = Object.fromEntries(Object.entries(pointers).map(([name, text]) => [name, parsePointer(text)]));
  const source = here.open({
    fields: {
      ...fields(),
      ...named,
      numbers: [parsePointer("/docs/0/no"), parsePointer("/docs/1/no"), parsePointer("/docs/2/no")],
      data: { Country: parsePointer("/person/country") },
    },
    verified: ["GREEN"],
  });
  const { identity } = await source.dossier("a", { full: true });
  assert.deepEqual(identity, {
    ...{ id: "a", status: "GREEN", verified: true, created: null, updated: UPDATED },
    owner: { email: "a@example.com", firstName: "Ada", lastName: null },
    score: null,
    documents: [
      { type: "account", datapoints: { date_of_birth: "1990-05-31", Country: "DE" } },
      { type: "docs/0/no", datapoints: { document_number: "X 12" } },
      { type: "docs/1/no", datapoints: { document_number: "34" } },
    ],
    metadata: { reference: "4711" },
    watchlist: null,
    network: null,
  });
});

async function seen(here: Place) {
  const source = here.open(FILES);
  const { raw } = (await listOf(source)).get("a")!;
  const { content, files, listed } = await source.dossier("a", { full: true });
  assert.deepEqual(listed, raw);
  return { raw, content, files };
}

test("a table whose lines end with CR alone is read, and one with nothing but another header is a failure", async () => {
  await using here = await place();
  await here.write("1/people.csv", `id;updated;note\ra;${UPDATED};"x\ry\nz"\r\rb;${UPDATED};"q"\r`);
  await here.write("2/people.csv", "id;updated\n");
  const source = here.open();
  assert.deepEqual([...(await listOf(source)).keys()], ["a", "b"]);
  assert.deepEqual((await pagesOf(source)).map(({ unreadable }) => unreadable).filter(Boolean), []);
  const { answers } = await source.dossier("a", { full: true });
  assert.equal(answers[0]!.text, `id;updated;note\na;${UPDATED};"x\ry\nz"`);
  await here.write("3/index.csv", "name;size\n");
  assert.equal((await pagesOf(here.open())).at(-1)!.unreadable, 1);
});
