import assert from "node:assert/strict";
import { test } from "node:test";
import { secretMark } from "../../sandbox/stripe/secret.ts";
import { full, open, reported, watch } from "./connect.ts";

const DAY = 86_400_000;
const SENSITIVE = /\.(dob|number|expiration_date|id_number|sex|unparsed_\w+)(&|$)/;

test("the reports of all attempts are read, with the sensitive members of each", async (t) => {
  const { sandbox, source } = await open(t, { identities: 60 });
  const index = reported(sandbox, (i) => sandbox.reports(i).length > 1);
  const { identity, answers, files, gaps } = await source.dossier(sandbox.ids()[index]!, full);
  const reports = sandbox.reports(index);
  assert.equal(answers.length, 2);
  const { data } = JSON.parse(answers[1]!.text) as { data: unknown[] };
  assert.deepEqual(data, reports.toReversed());
  const numbers = identity.documents.map(({ datapoints }) => datapoints.document_number).filter(Boolean);
  assert.deepEqual(numbers, reports.map(({ document }) => document!.number).reverse());
  const expected = reports.flatMap(({ document, selfie }) => [
    ...document!.files!,
    ...(selfie ? [selfie.selfie!] : []),
  ]);
  assert.deepEqual(files.map(({ id }) => id).sort(), expected.sort());
  assert.deepEqual(gaps, []);
});

test("url and client_secret are in no answer, no content and no list entry, and all else is to the byte", async (t) => {
  const { sandbox, source } = await open(t, { identities: 60 });
  const mark = secretMark(1);
  const index = sandbox.ids().findIndex((_, i) => sandbox.session(i).url !== null);
  let wire = "";
  sandbox.intercept((_, response) => {
    const { end } = response;
    response.end = function kept(this: typeof response, chunk: unknown) {
      wire += String(chunk);
      return end.call(this, chunk as string, "utf8");
    } as typeof end;
    return false;
  });
  const once = await source.dossier(sandbox.ids()[index]!, full);
  assert.ok(wire.includes(mark));
  const [session] = wire.split('{"object":"list"');
  const expected = session!.replace(/"client_secret":"[^"]+","url":"[^"]+"/, '"client_secret":null,"url":null');
  assert.equal(once.answers[0]!.text, expected);
  const twice = await source.dossier(sandbox.ids()[index]!, full);
  assert.deepEqual([twice.content, twice.listed, twice.answers], [once.content, once.listed, once.answers]);
  const listed = [];
  for await (const page of source.pages()) listed.push(...page.identities);
  assert.ok(!JSON.stringify([once, listed]).includes(mark));
  assert.deepEqual(listed.find(({ id }) => id === once.identity.id)!.raw, once.listed);
});

test("a redaction that was asked for ends the reading: no report, no file, no date of birth in year 1", async (t) => {
  const { sandbox, source, clock } = await open(t, { identities: 40 });
  const index = reported(sandbox, (i) => sandbox.session(i).status === "verified");
  const id = sandbox.ids()[index]!;
  assert.equal((await source.dossier(id, full)).redacted, false);
  sandbox.redact([index]);
  for (const stage of ["validated", "processing", "redacted"]) {
    assert.equal(sandbox.session(index).redaction!.status, stage);
    sandbox.requests.clear();
    const { redacted, files, identity } = await source.dossier(id, full);
    assert.deepEqual([redacted, files, sandbox.requests.total], [true, [], 1]);
    if (stage === "redacted") {
      assert.deepEqual(identity.owner, { email: null, firstName: null, lastName: null });
      assert.equal(identity.verified, true);
      assert.ok(!JSON.stringify(identity).match(/redacted\]|0001-01-01|"dob"/));
    }
    clock.now += 2 * DAY;
  }
});

test("a minimal record asks one question, with no sensitive name in it", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40 });
  sandbox.restrict({ sensitive: "none", files: "none", events: false });
  const paths = watch(sandbox);
  for (const id of sandbox.ids()) {
    const { identity, files } = await source.dossier(id, { full: false });
    assert.deepEqual([files, identity.documents], [[], []]);
  }
  assert.equal(paths.length, 40);
  for (const path of paths) assert.doesNotMatch(path, SENSITIVE);
});

test("a key without the right is asked for less, and the dossier says what it lacks", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40 });
  const index = reported(sandbox, (i) => sandbox.session(i).status === "verified");
  const id = sandbox.ids()[index]!;
  const whole = await source.dossier(id, full);
  for (const unseen of [403, 400, "left out"] as const) {
    sandbox.restrict({ sensitive: "none", unseen });
    const { identity, files, gaps, content } = await source.dossier(id, full);
    assert.ok(gaps.includes("document.number") && gaps.includes("verified_outputs.dob"), String(gaps));
    assert.deepEqual(files, whole.files);
    assert.deepEqual(identity.owner, whole.identity.owner);
    // Else the record would not be made again once the key has the right.
    assert.notDeepEqual(content, whole.content);
  }
});

test("a session of a connected account is read with the account's name in every request to the API", async (t) => {
  const { sandbox, source } = await open(t, { connected: true });
  await assert.rejects(source.dossier(sandbox.ids()[0]!, full), { code: "source-missing" });
  const { sandbox: other, source: named } = await open(t, { connected: true }, { account: sandbox.account });
  assert.equal((await named.project()).id, `${other.account} test`);
  const index = reported(other);
  const id = other.ids()[index]!;
  for (const file of (await named.dossier(id, full)).files)
    for await (const _ of (await named.file(id, file)).bytes) break;
  assert.equal(other.requests.of("contents", 200), (await named.dossier(id, full)).files.length);
});
