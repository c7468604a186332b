import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseExact } from "../../../src/io/exact-json.ts";
import { canonicalJson } from "../../../src/record/canonical.ts";
import { comparable } from "../../../src/source/persona/content.ts";
import type { PersonaSource } from "../../../src/source/persona/persona.ts";
import { finished } from "../../sandbox/persona/ask.ts";
import { full, open, rewrite } from "./connect.ts";

const contentOf = async (source: PersonaSource, id: string) => canonicalJson((await source.dossier(id, full)).content);

test("a template that the client edits, and a reviewer's own name, change no inquiry", async (t) => {
  const { sandbox, source } = await open(t);
  const id = sandbox.ids()[finished(sandbox)]!;
  const before = await contentOf(source, id);
  rewrite(sandbox, (_path, text) => text.replaceAll("Specimen KYC", "Another name"));
  const dossier = await source.dossier(id, full);
  assert.equal(canonicalJson(dossier.content), before);
  assert.match(dossier.answers[0]!.text, /Another name/);
});

test("a report of the person's other inquiry does not change this one", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40, repeats: 60 });
  const account = (index: number) => (sandbox.inquiry(index).relationships!.account!.data as { id: string }).id;
  const index = finished(sandbox, (i) => finished(sandbox, (j) => j > i) < i + 2 && account(i) === account(i + 1));
  const before = await contentOf(source, sandbox.ids()[index]!);
  sandbox.change([index + 1], { part: "report" });
  assert.equal(await contentOf(source, sandbox.ids()[index]!), before);
});

/** The same JSON with every array in another order, and other tokens. */
function shuffled(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) {
    return value
      .map((item) => ({ item: shuffled(item, random), at: random() }))
      .sort((one, other) => one.at - other.at)
      .map(({ item }) => item);
  }
  if (typeof value === "string")
    return value.replace(/^(https.*)access_token=\w+/, `$1access_token=t${Math.floor(random() * 1e9)}`);
  if (typeof value !== "object" || value === null || JSON.isRawJSON(value)) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, shuffled(member, random)] as const);
  return Object.fromEntries(entries.sort(() => random() - 0.5));
}

const leaf = fc.oneof(
  fc.constantFrom("a", "b", "", "https://files.withpersona.com/a.jpg?access_token=x1", "access_token=1"),
  fc.integer(),
  fc.constantFrom(null, true),
);
const { value: tree } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(fc.constantFrom("id", "type", "url", "1", "__proto__", "data"), tie("value"), { maxKeys: 4 }),
  ),
}));

test("the order of arrays and keys, and tokens, never matter; anything else does", () => {
  fc.assert(
    fc.property(tree, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (value, stream) => {
      const random = () => stream.next().value as number;
      const text = JSON.stringify(value);
      const compared = canonicalJson(comparable(parseExact(text)));
      assert.equal(canonicalJson(comparable(shuffled(parseExact(text), random))), compared);
      assert.notEqual(canonicalJson(comparable({ value: parseExact(text), more: 1 })), compared);
      // Nothing is lost: as many values, and each text but a token.
      assert.equal(compared.match(/"a"/g)?.length, text.match(/"a"/g)?.length);
    }),
    { numRuns: 1_000 },
  );
});

test("numbers that JavaScript rounds are compared exactly", () => {
  const of = (text: string) => canonicalJson(comparable(parseExact(text)));
  assert.notEqual(of("[9007199254740993,1]"), of("[9007199254740992,1]"));
  assert.equal(of("[9007199254740993,1]"), of("[1,9007199254740993]"));
});
