import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
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
  const said = await place.here("hold", ["place", "--email", email, "--case", "C-2", "--reason", "asked"]);
  assert.equal(said.code, 0, said.stderr);
  assert.match(said.stderr, /acme-bank: one customer of p[a-z]+ and p[a-z]+: the records of all are taken/);
  assert.doesNotMatch(said.stderr, new RegExp(email.replaceAll(".", "\\.")));
  assert.match(ended.stdout, /"subjects":2\b/);
});

test("a person of the retired source is found by id, with the provider before it and without", async () => {
  const id = passbase.ids()[0]!;
  for (const named of [id, `passbase:${id}`])
    assert.equal((await place.here("erasure", ["assess", "--identity", named])).code, 0);
  const wrong = await place.here("erasure", ["assess", "--identity", `persona:${id}`]);
  assert.equal(wrong.code, 2);
});

test("every night after the move no one is gone", async () => {
  for (let night = 0; night < 3; night += 1) {
    const [summary] = await place.expect<{ source: string; gone: number }>(0, "export");
    assert.deepEqual([summary!.source, summary!.gone], ["persona", 0]);
  }
  assert.equal((await place.here("verify")).code, 0);
});
