import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "../../src/config/secret.ts";
import { parseExact } from "../../src/io/exact-json.ts";
import { lookupTokens } from "../../src/record/lookups.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { startSandbox } from "../sandbox/server.ts";
import { person, sandboxed } from "./person.ts";

const tokens = new Tokens(new Secret("ab".repeat(32)));
const FIELDS = ["email", "document.number", "metadata.customer_id", "metadata.session.screens"];

test("every identity of the sandbox is found by its lookups, which reveal nothing", async () => {
  await using sandbox = await startSandbox({ identities: 120, files: false });
  const counts = { email: 0, number: 0, customer: 0, screens: 0 };
  for (let index = 0; index < 120; index++) {
    const wire = sandbox.identity(index);
    const found = lookupTokens(sandboxed(sandbox, index), FIELDS, tokens);
    const expected: Record<string, string> = {};
    const put = (name: string, value: unknown, count: keyof typeof counts) => {
      if (value === undefined || value === null) return;
      expected[name] = tokens.lookup(name, String(value));
      counts[count]++;
    };
    put("email", wire.owner?.email, "email");
    put("document.number", wire.resources?.[0]?.datapoints.document_number, "number");
    // The number of a second document is found by the same name.
    const second = wire.resources?.[1]?.datapoints.document_number;
    if (second) expected["document.number/2"] = tokens.lookup("document.number", String(second));
    put("metadata.customer_id", wire.metadata?.customer_id, "customer");
    put("metadata.session.screens", (wire.metadata?.session as { screens?: number })?.screens, "screens");
    assert.deepEqual(found, expected);
    const shown = JSON.stringify(found);
    for (const canary of sandbox.canaries([index])) assert.ok(!shown.includes(canary));
  }
  for (const [name, count] of Object.entries(counts)) assert.ok(count > 90, `${name} ${count}`);
  assert.ok(
    Object.values(counts).some((count) => count < 120),
    "some lack something",
  );
});

test("a reference deep inside metadata, and one that JavaScript would round", () => {
  const metadata = parseExact('{"a":{"b":{"c":12345678901234567890}},"n":5,"t":" Ref 1 "}');
  const fields = ["metadata.a.b.c", "metadata.n", "metadata.t"];
  assert.deepEqual(lookupTokens(person({}, { metadata }), fields, tokens), {
    "metadata.a.b.c": tokens.lookup("metadata.a.b.c", "12345678901234567890"),
    "metadata.n": tokens.lookup("metadata.n", "5"),
    "metadata.t": tokens.lookup("metadata.t", "Ref 1"),
  });
  assert.notEqual(
    tokens.lookup("metadata.a.b.c", "12345678901234567890"),
    tokens.lookup("metadata.a.b.c", String(Number("12345678901234567890"))),
  );
});

test("values that are missing, empty or not scalar have no token", () => {
  const fields = [
    "email",
    "document.number",
    "metadata.x",
    "metadata.x.y",
    "metadata.toString",
    "metadata.__proto__.a",
  ];
  for (const metadata of [
    null,
    undefined,
    "text",
    5,
    [],
    {},
    { x: null },
    { x: [] },
    { x: " " },
    { x: "" },
    { x: true },
  ])
    assert.deepEqual(lookupTokens(person({}, { metadata }), fields, tokens), {}, JSON.stringify(metadata));
  const owner = { email: "  ", firstName: null, lastName: null };
  assert.deepEqual(lookupTokens(person({ document_number: " " }, { owner }), fields, tokens), {});
  assert.deepEqual(lookupTokens(person({}, { owner: { ...owner, email: "a@example.org" } }), [], tokens), {});
});

test("the same value under two names has two tokens", () => {
  const identity = person({ document_number: "X" }, { metadata: { number: "X" } });
  const found = lookupTokens(identity, ["document.number", "metadata.number"], tokens);
  assert.equal(new Set(Object.values(found)).size, 2);
});
