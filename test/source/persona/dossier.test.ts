import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "../../../src/config/secret.ts";
import { datesOfBirth, documentNumbers } from "../../../src/record/datapoints.ts";
import { lookupTokens } from "../../../src/record/lookups.ts";
import { Tokens } from "../../../src/record/tokens.ts";
import { finished, related } from "../../sandbox/persona/ask.ts";
import { references } from "../../sandbox/persona/wire.ts";
import { refusal } from "../connect.ts";
import { full, open } from "./connect.ts";

type Values = Readonly<Record<string, unknown>>;

test("the project is the environment that the answers name, and the key says which kind it is", async (t) => {
  const { sandbox, source } = await open(t);
  const project = await source.project();
  assert.match(project.id, /^env_/);
  assert.match(project.name, /^org_/);
  assert.equal(project.environment, "sandbox");
  assert.equal(sandbox.requests.total, 1);
  assert.equal(source.kind, "persona");
});

test("an inquiry is described in words that do not depend on the provider", async (t) => {
  const { sandbox, source } = await open(t, { identities: 60 });
  const verdicts = new Map<string, boolean | null>();
  for (const [index, id] of sandbox.ids().entries()) {
    const { attributes, relationships } = sandbox.inquiry(index);
    const { identity, redacted } = await source.dossier(id, full);
    const fields = attributes.fields as Readonly<Record<string, { value: unknown }>>;
    const account = references(relationships!.account)[0]!.id;
    assert.deepEqual([identity.id, identity.status, redacted], [id, attributes.status, false]);
    assert.deepEqual(identity.owner, {
      email: fields["email-address"]!.value,
      firstName: fields["name-first"]!.value,
      lastName: fields["name-last"]!.value,
    });
    assert.equal(identity.created, String(attributes["created-at"]).replace(".000Z", "Z"));
    assert.equal(identity.updated, String(attributes["updated-at"]).replace(".000Z", "Z"));
    const { tags, ...metadata } = identity.metadata as { readonly tags: readonly string[] };
    assert.deepEqual([...tags].sort(), [...(attributes.tags as string[])].sort());
    assert.deepEqual(metadata, {
      reference_id: attributes["reference-id"],
      account_id: account,
      note: attributes.note,
      template: references(relationships!["inquiry-template"])[0]!.id,
    });
    const sessions = (identity.network ?? []) as readonly Values[];
    assert.deepEqual(
      sessions.map((session) => session.id).sort(),
      related(sandbox, index, "sessions")
        .map((session) => session.id)
        .sort(),
    );
    for (const report of related(sandbox, index, "reports")) {
      const found = (identity.watchlist as readonly Values[]).find((one) => one.id === report.id)!;
      assert.equal(found["has-match"], sandbox.object(report.id)!.attributes["has-match"]);
    }
    verdicts.set(identity.status, identity.verified);
  }
  assert.deepEqual([...verdicts].filter(([, verified]) => verified !== null).sort(), [
    ["approved", true],
    ["declined", false],
    ["failed", false],
  ]);
  assert.ok(verdicts.has("completed") && verdicts.has("needs_review") && verdicts.has("pending"));
});

test("the client says whether `completed` is a pass", async (t) => {
  const { sandbox, source } = await open(t, { identities: 60 }, { completed: "verified" });
  const index = sandbox.ids().findIndex((_, i) => sandbox.inquiry(i).attributes.status === "completed");
  assert.equal((await source.dossier(sandbox.ids()[index]!, full)).identity.verified, true);
});

test("a person is found by e-mail, reference, account and every number, and has one date of birth", async (t) => {
  const { sandbox, source } = await open(t);
  const index = finished(sandbox, (i) => sandbox.inquiry(i).attributes["reference-id"] !== null);
  const { identity } = await source.dossier(sandbox.ids()[index]!, full);
  const tokens = new Tokens(new Secret("07".repeat(32)));
  const found = lookupTokens(
    identity,
    ["email", "document.number", "metadata.reference_id", "metadata.account_id"],
    tokens,
  );
  const { attributes } = sandbox.object(related(sandbox, index, "documents")[0]!.id)!;
  const inquiry = sandbox.inquiry(index);
  const fields = inquiry.attributes.fields as Readonly<Record<string, { value: string }>>;
  assert.ok(Object.values(found).includes(tokens.lookup("email", fields["email-address"]!.value)));
  assert.ok(Object.values(found).includes(tokens.lookup("document.number", String(attributes["document-number"]))));
  assert.equal(
    found["metadata.reference_id"],
    tokens.lookup("metadata.reference_id", String(inquiry.attributes["reference-id"])),
  );
  const [account] = references(inquiry.relationships!.account);
  assert.equal(found["metadata.account_id"], tokens.lookup("metadata.account_id", account!.id));
  const numbers = related(sandbox, index, "documents").map(
    ({ id }) => sandbox.object(id)!.attributes["document-number"],
  );
  assert.deepEqual([...new Set(documentNumbers(identity))].sort(), [...new Set(numbers)].sort());
  assert.deepEqual(datesOfBirth(identity).map(String).slice(0, 1), [fields.birthdate!.value]);
});

test("every answer is kept byte for byte under its endpoint's name", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40 });
  const index = finished(sandbox, (i) => sandbox.inquiry(i).attributes.status === "declined");
  const sent: string[] = [];
  sandbox.intercept((_request, response) => {
    const end = response.end.bind(response);
    response.end = ((text: unknown, ...rest: []) => {
      if (text !== undefined) sent.push(String(text));
      return end(text, ...rest);
    }) as typeof response.end;
    return false;
  });
  const { answers } = await source.dossier(sandbox.ids()[index]!, full);
  assert.deepEqual(
    answers.map(({ text }) => text),
    sent,
  );
  assert.deepEqual(
    [...new Set(answers.map(({ endpoint }) => endpoint))],
    [
      "GET /inquiries/{inquiry-id}",
      "GET /documents/{document-id}",
      "GET /reports",
      "GET /cases",
      "GET /cases/{case-id}",
    ],
  );
  assert.match(answers.at(-1)!.text, /"case-comment"/);
  // URLs of files are nowhere but in the text.
  assert.match(sent.join(), /access_token=/);
});

test("for a minimal record it asks once, and still knows the date of birth", async (t) => {
  const { sandbox, source } = await open(t);
  const index = finished(sandbox);
  const dossier = await source.dossier(sandbox.ids()[index]!, { full: false });
  assert.equal(source.requests, 1);
  assert.deepEqual(dossier.files, []);
  assert.equal(dossier.answers.length, 1);
  assert.doesNotMatch(dossier.answers[0]!.text, /ip-address|"report\/watchlist","id":"[^"]+","attributes"/);
  const fields = sandbox.inquiry(index).attributes.fields as Readonly<Record<string, { value: string }>>;
  assert.deepEqual(datesOfBirth(dossier.identity).map(String), [fields.birthdate!.value]);
});

test("a redacted inquiry is recognised by Persona's own mark, and nothing of the person is left once it is done", async (t) => {
  let now = Date.parse("2026-03-04T05:06:07Z");
  const { sandbox, source } = await open(t, { clock: () => now });
  const index = finished(sandbox);
  const id = sandbox.ids()[index]!;
  assert.equal((await source.dossier(id, full)).redacted, false);
  sandbox.redact([index], { account: true });
  const early = await source.dossier(id, full);
  assert.equal(early.redacted, true);
  assert.ok(documentNumbers(early.identity).length > 0);
  now += 7_200_000;
  const { identity, redacted, files } = await source.dossier(id, full);
  assert.equal(redacted, true);
  assert.deepEqual(identity.owner, { email: null, firstName: null, lastName: null });
  assert.deepEqual([documentNumbers(identity), files], [[], []]);
});

test("an inquiry that is not there is missing, and so is one whose id Persona cannot have given", async (t) => {
  const { sandbox, source } = await open(t);
  const [id] = sandbox.ids();
  sandbox.vanish([0]);
  await refusal(sandbox, source.dossier(id!, full), "source-missing");
  const before = source.requests;
  for (const odd of ["..", "a/b", "a b", "", "ä", "x".repeat(201), "a?b", "inq_1\0"])
    await refusal(sandbox, source.dossier(odd, full), "source-missing");
  assert.equal(source.requests, before);
});
