import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { makeWorkplace, type Workplace } from "../export/workplace.ts";
import { type Persona, startPersona } from "../sandbox/persona/server.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

const PEOPLE = { identities: 4, files: false, seed: 5 };
const WHY = ["--case", "C-1", "--requested-by", "the authority", "--reason", "asked"];

let passbase: Sandbox;
let persona: Persona;
let place: Workplace;
/** Someone who was verified at both providers. */
let email: string;

before(async () => {
  passbase = await startSandbox(PEOPLE);
  // The sandboxes invent the same people.
  persona = await startPersona({ ...PEOPLE, searchDelay: 0 });
  place = await makeWorkplace(passbase);
  await writeFile(place.path("keys/persona"), persona.apiKey, { mode: 0o600 });
  await place.expect(0, "export");
  await place.configure({
    source: undefined,
    sources: [
      { kind: "persona", url: persona.url, apiKey: "file:./keys/persona", rate: "10000/s" },
      { kind: "passbase", retired: true },
    ],
  });
  await place.expect(0, "export");
  email = passbase.identity(0).owner!.email!;
});
after(async () => {
  await place[Symbol.asyncDispose]();
  await passbase.close();
  await persona.close();
});

test("a move to another provider: a customer of both is in one bag, and the command says so", async () => {
  const out = place.path("bag");
  const ended = await place.here("retrieve", ["--email", email, ...WHY, "--out", out, "--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, /one customer of persona and passbase: the bag takes the records of both/);
  assert.doesNotMatch(ended.stderr, new RegExp(email.replaceAll(".", "\\.")));
  assert.match(ended.stdout, /"subjects":2\b/);
});

/** The lines of a command's stderr about one customer, or about one verification only. */
async function told(command: string, args: readonly string[]): Promise<string[]> {
  const { code, stderr } = await place.here(command, args);
  assert.equal(code, 0, stderr);
  const said = stderr.split("\n").filter((line) => /one customer|only th/.test(line));
  return said.map((line) => JSON.parse(line).msg);
}

test("each command says what it does with one customer of two sources, in the config's order", async () => {
  const hold = ["--case", "C-2", "--reason", "asked"];
  for (const [command, args, does] of [
    ["erasure", ["assess"], "both are assessed"],
    ["hold", ["place", ...hold], "the hold covers both"],
    ["hold", ["release", ...hold], "the hold is released for both"],
    ["relationship", ["end", "--date", "2026-11-01", "--before-verification"], "both relationships end"],
    ["relationship", ["reopen"], "both relationships are reopened"],
  ] as const)
    assert.deepEqual(await told(command, [...args, "--email", email]), [
      `acme-bank: one customer of persona and passbase: ${does}`,
    ]);
});

/** A letter's words, without the box for its sender. */
async function letter(name: string, ...args: readonly string[]): Promise<{ words: string; html: string }> {
  const out = place.path(`${name}.html`);
  const { code, stderr } = await place.here("erasure", ["assess", ...args, "--out", out]);
  assert.equal(code, 0, stderr);
  const html = await readFile(out, "utf8");
  const words = html.slice(html.indexOf("</aside>")).replaceAll(/<[^>]*>/g, " ");
  return { words: words.replaceAll(/\s+/g, " "), html };
}

test("one letter for one customer of two sources: what is kept of each verification, and one answer for both", async () => {
  const { words, html } = await letter("both", "--email", email);
  for (const by of ["Passbase", "Persona"])
    assert.match(words, new RegExp(`Verified by ${by}: We hold 1 copy of your identity verification`));
  assert.equal(words.match(/Why we cannot erase it yet/g)?.length, 1);
  assert.equal(words.match(/Dear/g)?.length, 1);
  const { json } = await place.here("erasure", ["assess", "--email", email, "--json"]);
  const { people } = json as { people: { subject: string; source: string }[] };
  assert.deepEqual(people.map(({ source }) => source).toSorted(), ["passbase", "persona"]);
  for (const { subject } of people) assert.ok(html.includes(subject));
});

test("if the answers for one customer differ, the letter gives each; several people get no letter", async () => {
  const hold = ["--case", "C-3", "--reason", "asked", "--identity", `passbase:${passbase.ids()[0]}`];
  await place.expect(0, "hold", "place", ...hold);
  const { words, html } = await letter("differ", "--email", email);
  assert.match(words, /Verified by Passbase: Why we cannot erase it yet We may not erase these copies at present/);
  assert.match(words, /Verified by Persona: Why we cannot erase it yet The law requires us to keep these copies/);
  assert.match(html, /The legal hold is on some of these verifications only/);
  await place.expect(0, "hold", "release", ...hold);

  const out = place.path("several.html");
  const ids = [...passbase.ids().slice(0, 2), `persona:${persona.inquiry(0).id}`].flatMap((id) => ["--identity", id]);
  for (const who of [ids, ["--email", email, "--identity", passbase.ids()[1]!]]) {
    const { code, stderr } = await place.here("erasure", ["assess", ...who, "--out", out]);
    assert.equal(code, 2);
    assert.match(stderr, /a letter is for one person, and these are 3 verifications/);
  }
  await assert.rejects(readFile(out));
});

test("an id names one verification only, and the command says how to name all of the customer's", async () => {
  const [first, second] = passbase.ids();
  const rest = "use --email or --reference for all of the customer's";
  const assess = (...ids: string[]) => told("erasure", ["assess", ...ids.flatMap((id) => ["--identity", id])]);
  assert.deepEqual(await assess(first!), [`acme-bank: only this verification; ${rest}`]);
  assert.deepEqual(await assess(`passbase:${first}`, second!), [`acme-bank: only these verifications; ${rest}`]);
  assert.deepEqual(await told("erasure", ["assess", "--identity", first!, "--email", email]), [
    "acme-bank: one customer of persona and passbase: both are assessed",
  ]);
});

test("a person of the retired source is found by id, with the provider before it and without", async () => {
  const id = passbase.ids()[0]!;
  for (const named of [id, `passbase:${id}`])
    assert.equal((await place.here("erasure", ["assess", "--identity", named])).code, 0);
  const wrong = await place.here("erasure", ["assess", "--identity", `persona:${id}`]);
  assert.equal(wrong.code, 2);
});

test("a typing error before the colon of an id is called that", async () => {
  const { code, stderr } = await place.here("erasure", ["assess", "--identity", `pasbase:${passbase.ids()[0]}`]);
  assert.equal(code, 2);
  assert.match(stderr, /no source and no provider is called pasbase/);
});

test("every night after the move no one is gone", async () => {
  for (let night = 0; night < 3; night += 1) {
    const [summary] = await place.expect<{ source: string; gone: number }>(0, "export");
    assert.deepEqual([summary!.source, summary!.gone], ["persona", 0]);
  }
  assert.equal((await place.here("verify")).code, 0);
});
