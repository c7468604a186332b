import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson } from "../../../src/record/canonical.ts";
import { finished, related } from "../../sandbox/persona/ask.ts";
import { RIGHTS } from "../../sandbox/persona/key.ts";
import { refusal } from "../connect.ts";
import { connect, full, open, pagesOf, rewrite } from "./connect.ts";

const without = (...names: readonly string[]) => RIGHTS.permissions.filter((name) => !names.includes(name));

test("a wrong key is refused as a key", async (t) => {
  const { sandbox } = await open(t);
  const source = connect({ url: sandbox.url, apiKey: "persona_sandbox_wrong" });
  t.after(() => source.close());
  await refusal(sandbox, source.project(), "source-key");
});

test("403 at the start is fatal and says whether the right is missing or the address", async (t) => {
  const { sandbox, source } = await open(t);
  sandbox.restrict({ permissions: without("inquiry.read") });
  const right = await refusal(sandbox, source.project(), "source-key");
  assert.match(right.message, /lacks the permission inquiry\.read/);
  sandbox.restrict({ permissions: RIGHTS.permissions, addressAllowed: false });
  const address = await refusal(sandbox, source.project(), "source-key");
  assert.match(`${address.message} ${address.hint}`, /from this address.*IP allow-list/);
});

test("an answer without Persona's own headers is another API", async (t) => {
  const { sandbox, source } = await open(t);
  sandbox.intercept((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end('{"data":[]}');
    return true;
  });
  await refusal(sandbox, source.project(), "source-response");
});

test("what the key may not read is left out, said, and changes the content, so that a grant is found", async (t) => {
  const { sandbox, source } = await open(t);
  const index = finished(sandbox, (i) => sandbox.inquiry(i).attributes.status === "approved");
  const id = sandbox.ids()[index]!;
  const all = await source.dossier(id, full);
  assert.deepEqual(all.gaps, []);
  const contents = new Set([canonicalJson(all.content)]);
  for (const [permission, endpoint] of [
    ["document.read", "GET /documents/{document-id}"],
    ["verification.read", "GET /verifications/{verification-id}"],
    ["account.read", "GET /accounts/{account-id}"],
    ["report.read", "GET /reports"],
    ["case.read", "GET /cases"],
  ] as const) {
    sandbox.restrict({ permissions: without(permission) });
    const dossier = await source.dossier(id, full);
    assert.ok(dossier.gaps.includes(endpoint), `${permission}: ${dossier.gaps.join()}`);
    assert.equal(dossier.identity.status, "approved");
    contents.add(canonicalJson(dossier.content));
    assert.equal(canonicalJson((await source.dossier(id, full)).content), canonicalJson(dossier.content));
  }
  assert.equal(contents.size, 6);
  sandbox.restrict({ permissions: RIGHTS.permissions });
  assert.ok(contents.has(canonicalJson((await source.dossier(id, full)).content)));
});

test("without the right to documents, the pictures of a verification are kept", async (t) => {
  const { sandbox, source } = await open(t);
  const id = sandbox.ids()[finished(sandbox)]!;
  const before = (await source.dossier(id, full)).files.length;
  sandbox.restrict({ permissions: without("document.read") });
  const { files } = await source.dossier(id, full);
  assert.equal(files.length, before);
  assert.ok(files.every(({ id: name }) => !name.startsWith("doc")));
  assert.ok(files.some(({ id: name }) => name.includes("/original-urls/")));
});

test("an object that is gone is left out without a word; a lost inquiry is missing", async (t) => {
  const { sandbox, source } = await open(t);
  const index = finished(sandbox);
  const id = sandbox.ids()[index]!;
  const [gone] = related(sandbox, index, "documents");
  sandbox.intercept((request, response) => {
    if (!request.url?.includes(gone!.id)) return false;
    response.writeHead(404, { "content-type": "application/json" }).end('{"errors":[{"title":"Record not found"}]}');
    return true;
  });
  const { answers, gaps } = await source.dossier(id, full);
  assert.deepEqual(gaps, []);
  const documents = related(sandbox, index, "documents").length;
  assert.equal(answers.filter(({ endpoint }) => endpoint.startsWith("GET /documents")).length, documents - 1);
});

test("an attribute that a blocklist takes away is said; without its time an inquiry is not taken", async (t) => {
  const { sandbox, source } = await open(t);
  const id = sandbox.ids()[finished(sandbox)]!;
  sandbox.restrict({ blocklist: ["note", "/data/attributes/fields"] });
  const { gaps } = await source.dossier(id, full);
  assert.deepEqual([...gaps].sort(), ["attribute fields of inquiries", "attribute note of inquiries"]);
  sandbox.restrict({ blocklist: ["updated-at"] });
  const error = await refusal(sandbox, source.dossier(id, full), "source-response");
  assert.match(error.message, /updated-at/);
  const [page] = await pagesOf(source);
  assert.deepEqual([page!.identities.length, page!.unread.length], [0, 20]);
});

test("doctor learns what the key lacks, by asking", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40 });
  const bad = async () =>
    (await source.checks())
      .filter(({ outcome }) => outcome !== "ok")
      .map(({ outcome, message }) => `${outcome} ${message}`);
  assert.deepEqual(await bad(), []);
  for (const name of ["document", "verification", "account", "report", "case"]) {
    sandbox.restrict({ permissions: without(`${name}.read`) });
    const found = await bad();
    assert.equal(found.length, 1, found.join());
    assert.match(found[0]!, new RegExp(`^warning the key lacks ${name}\\.read`));
  }
  sandbox.restrict({ permissions: RIGHTS.permissions, blocklist: ["reference-id", "fields"] });
  const found = await bad();
  assert.match(found.join(), /^warning inquiries lack attributes .*: reference-id, fields\./);
  const canaries = sandbox.canaries();
  for (const message of [...found, ...(await source.checks()).map((check) => check.message)])
    for (const canary of canaries) assert.ok(!message.includes(canary));
});

test("with nothing to ask for, doctor says that it could not check", async (t) => {
  const { sandbox, source } = await open(t, { identities: 1 });
  rewrite(sandbox, (path) =>
    path.includes("/inquiries?") ? JSON.stringify({ data: [], links: { prev: null, next: null } }) : undefined,
  );
  const outcomes = (await source.checks()).map(({ outcome }) => outcome);
  assert.equal(outcomes.filter((outcome) => outcome === "unknown").length, 3);
});

test("every request pins the version and the inflection", async (t) => {
  const { sandbox, source } = await open(t);
  const seen = new Set<string>();
  sandbox.intercept(({ headers, url }) => {
    if (url?.startsWith("/api/")) seen.add(`${headers["persona-version"]} ${headers["key-inflection"]}`);
    else assert.equal(headers["persona-version"], undefined);
    return false;
  });
  const id = sandbox.ids()[finished(sandbox)]!;
  const { files } = await source.dossier(id, full);
  await source.file(id, files[0]!);
  for await (const _ of source.changes(Temporal.Instant.from("2020-01-01T00:00:00Z"))) break;
  assert.deepEqual([...seen], ["2025-12-08 kebab"]);
});
