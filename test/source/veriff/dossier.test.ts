import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson } from "../../../src/record/canonical.ts";
import { lookupTokens } from "../../../src/record/lookups.ts";
import type { Tokens } from "../../../src/record/tokens.ts";
import { makePerson } from "../../sandbox/person.ts";
import { DAY, first, NIGHT } from "../../sandbox/veriff/ask.ts";
import { REGISTRIES } from "../../sandbox/veriff/world.ts";
import { full, open, statusOf } from "./connect.ts";

const OTHER = "99999999-9999-4999-8999-999999999999";

test("an approved session: the person, the document, references, and the end", async (t) => {
  const { sandbox, source } = await open(t);
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
  const { identity, open: isOpen, redacted, gaps, listed } = await source.dossier(sandbox.id(index), full);
  const { given, family, customer, documents, ip } = makePerson(1, index);
  assert.deepEqual(identity.owner, { email: null, firstName: given, lastName: family });
  assert.deepEqual([identity.status, identity.verified, isOpen, redacted], ["approved", true, false, false]);
  assert.deepEqual([gaps, listed, identity.network], [[], undefined, { ip }]);
  assert.ok(Date.parse(identity.updated) > Date.parse(identity.created!));
  // As lookups find them.
  const tokens = { lookup: (field: string, value: string) => `${field} ${value}` } as unknown as Tokens;
  const found = lookupTokens(identity, ["document.number", "metadata.vendorData", "metadata.endUserId"], tokens);
  assert.equal(found["document.number"], `document.number ${documents[0]!.number}`);
  assert.equal(found["metadata.vendorData"], `metadata.vendorData ${customer}`);
  assert.match(found["metadata.endUserId"]!, /^metadata\.endUserId [0-9a-f-]{36}$/);
});

test("each status has a verdict, and is open until it ends", async (t) => {
  const { sandbox, source } = await open(t, { identities: 120 });
  const seen = new Map<string, string>();
  for (const id of sandbox.ids()) {
    const { identity, open: isOpen } = await source.dossier(id, { full: false });
    seen.set(identity.status, `${identity.verified} ${isOpen ? "open" : "ended"}`);
  }
  assert.deepEqual(Object.fromEntries([...seen].sort()), {
    abandoned: "null ended",
    approved: "true ended",
    declined: "false ended",
    expired: "null ended",
    resubmission_requested: "null open",
    review: "null open",
    started: "null open",
    submitted: "null open",
  });
});

test("without a result it is open, with the media that there are, and no verdict", async (t) => {
  const { sandbox, source } = await open(t, { identities: 80 });
  const index = first(sandbox, (at) => statusOf(sandbox, at) === null && sandbox.attemptIds(at).length === 1);
  const dossier = await source.dossier(sandbox.id(index), full);
  assert.deepEqual([dossier.open, dossier.identity.verified], [true, null]);
  assert.deepEqual(
    dossier.files.map(({ id }) => id),
    (await sandbox.files(index)).map(({ id }) => id).toSorted(),
  );
});

test("a session that no one opened has the same version all month, and one that is not long ago", async (t) => {
  const { sandbox, source, clock } = await open(t, { unopened: 100, identities: 1 });
  const [id = ""] = sandbox.ids();
  const before = await source.dossier(id, full);
  assert.deepEqual([before.open, before.identity.status, before.identity.created], [true, "created", null]);
  assert.equal(before.identity.updated, "2026-03-01T00:00:00Z");
  clock.now += 7 * DAY;
  const after = await source.dossier(id, full);
  assert.deepEqual(after.identity, before.identity);
  assert.equal(canonicalJson(after.content), canonicalJson(before.content));
});

test("every attempt's media are there once, in the order of their ids, with the attempt and a known type", async (t) => {
  const { sandbox, source } = await open(t);
  const index = first(sandbox, (at) => sandbox.attemptIds(at).length === 2 && statusOf(sandbox, at) === "approved");
  const { files } = await source.dossier(sandbox.id(index), full);
  assert.deepEqual(
    files.map(({ id }) => id),
    (await sandbox.files(index)).map(({ id }) => id).toSorted(),
  );
  assert.deepEqual(new Set(files.map(({ resource }) => resource)), new Set(sandbox.attemptIds(index)));
  assert.ok(
    files.every(({ type }) => /^(document|face)/.test(type)),
    files.map(({ type }) => type).join(),
  );
});

test("a file of an unknown kind is kept, and its kind is not logged", async (t) => {
  const { sandbox, source } = await open(t, { signs: "none" });
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
  sandbox.intercept((request, response) => {
    if (!request.url!.includes("/attempts/")) return false;
    const id = "99999999-9999-4999-8999-999999999999";
    const media = [{ id, context: "Jane Doe, 1 Oak", sessionId: sandbox.id(index) }];
    response.writeHead(200).end(JSON.stringify({ status: "success", images: media, videos: [], newList: [] }));
    return true;
  });
  const { files } = await source.dossier(sandbox.id(index), full);
  assert.deepEqual(
    files.map(({ type }) => type),
    ["other"],
  );
});

test("screening: its result is part of the record, it is no failure without, and its time moves no version's date", async (t) => {
  const { sandbox, source, clock } = await open(t);
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
  const before = await source.dossier(sandbox.id(index), full);
  clock.now += DAY;
  sandbox.change([index], { part: "watchlist" });
  const after = await source.dossier(sandbox.id(index), full);
  assert.match(JSON.stringify(after.identity.watchlist), /possible_match/);
  assert.notEqual(canonicalJson(after.content), canonicalJson(before.content));
  assert.equal(after.identity.updated, before.identity.updated);
  const other = await open(t, { screens: false });
  for (const status of [400, 403, 404]) {
    other.sandbox.intercept((request, response) => {
      if (!request.url!.endsWith("/watchlist-screening")) return false;
      response.writeHead(status).end('{"status":"fail"}');
      return true;
    });
    const dossier = await other.source.dossier(other.sandbox.id(index), full);
    assert.deepEqual(
      [dossier.identity.watchlist, dossier.gaps, dossier.files.length > 0],
      [null, [], true],
      `${status}`,
    );
  }
});

test("while there is no result, what is not ready is left out; afterwards a refusal fails the record", async (t) => {
  const { sandbox, source } = await open(t, { identities: 80 });
  sandbox.intercept((request, response) => {
    if (!/\/(media|person)$/.test(request.url!)) return false;
    response.writeHead(400).end('{"status":"400","code":"1306","message":"Session is in progress."}');
    return true;
  });
  const early = first(sandbox, (at) => statusOf(sandbox, at) === null && sandbox.attemptIds(at).length > 0);
  const { files, open: isOpen } = await source.dossier(sandbox.id(early), full);
  assert.deepEqual([files, isOpen], [[], true]);
  const late = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
  await assert.rejects(source.dossier(sandbox.id(late), full), { code: "source-rejected" });
});

test("what the key may not read is a gap", async (t) => {
  const { sandbox, source } = await open(t);
  sandbox.intercept((request, response) => {
    if (!request.url!.endsWith("/person")) return false;
    response.writeHead(403).end();
    return true;
  });
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
  assert.deepEqual((await source.dossier(sandbox.id(index), full)).gaps, ["GET /sessions/{id}/person"]);
});

test("an empty object is no result, like null, and repeated attempts with fewer members are no change", async (t) => {
  const { sandbox, source } = await open(t, { signs: "none" });
  const [id = ""] = sandbox.ids();
  const [attempt] = sandbox.attemptIds(0);
  let verifications: object[] = [{ id: attempt, status: "submitted", createdTime: "2026-02-01T00:00:00.123456Z" }];
  sandbox.intercept((request, response) => {
    const answers = request.url!.endsWith("/decision")
      ? { status: "success", verification: {} }
      : request.url!.endsWith("/attempts")
        ? { status: "success", verifications }
        : undefined;
    if (answers === undefined) return false;
    response.writeHead(200).end(JSON.stringify(answers));
    return true;
  });
  const before = await source.dossier(id, full);
  assert.deepEqual([before.open, before.identity.status], [true, "submitted"]);
  assert.equal(before.identity.updated, "2026-02-01T00:00:00.123Z");
  verifications = [{ id: attempt, status: "submitted" }, ...verifications, { id: attempt, status: "submitted" }];
  const after = await source.dossier(id, full);
  assert.equal(canonicalJson(after.content), canonicalJson(before.content));
  assert.deepEqual(after.files, before.files);
});

test("a glance asks for decision and attempts, and shows that either moved", async (t) => {
  const { sandbox, source, clock } = await open(t, { identities: 80 });
  const index = first(sandbox, (at) => statusOf(sandbox, at) === null && sandbox.attemptIds(at).length > 0);
  const id = sandbox.id(index);
  const seen = async () => canonicalJson(await source.glance(id));
  assert.equal(canonicalJson((await source.dossier(id, full)).glance), await seen());
  const before = sandbox.requests.total;
  const glance = await seen();
  assert.equal(sandbox.requests.total - before, 2);
  clock.now += 60_000;
  sandbox.change([index], { part: "attempt" });
  const attempted = await seen();
  assert.notEqual(attempted, glance);
  sandbox.change([index], { part: "userStatus" });
  assert.notEqual(await seen(), attempted);
  clock.now += 91 * DAY;
  await assert.rejects(seen(), { code: "source-missing", message: /no longer at the provider/ });
});

test("beyond the retention it is no longer at the provider, and the error says no more than that", async (t) => {
  const { sandbox, source, clock } = await open(t);
  const [id = ""] = sandbox.ids();
  clock.now = NIGHT + 91 * DAY;
  await assert.rejects(source.dossier(id, full), {
    code: "source-missing",
    message: "GET /sessions/{id}/decision: no longer at the provider",
    hint: /deleted.*beyond its retention.*another integration/,
  });
});

test("an id in capitals is not asked about: it would be someone else", async (t) => {
  const { sandbox, source } = await open(t);
  await assert.rejects(source.dossier(sandbox.id(0).toUpperCase(), full), { code: "source-missing" });
  assert.equal(sandbox.requests.total, 0);
});

test("registries: each that an integration asks is in the record; no one is asked about who is of another country", async (t) => {
  const { sandbox, source } = await open(t, { registries: REGISTRIES });
  const approved = (isEven: boolean) =>
    first(sandbox, (at) => statusOf(sandbox, at) === "approved" && (at % 2 === 0) === isEven);
  const { answers } = await source.dossier(sandbox.id(approved(true)), full);
  const asked = answers.map(({ endpoint }) => endpoint).filter((endpoint) => endpoint.includes("/decision/"));
  assert.deepEqual(
    asked,
    REGISTRIES.map((name) => `GET /sessions/{id}/decision/${name}`),
  );
  assert.deepEqual(
    answers.find(({ endpoint }) => endpoint === asked[0])?.text,
    JSON.stringify(sandbox.objects(approved(true)).at(-3)),
  );
  const before = sandbox.requests.total;
  await source.dossier(sandbox.id(approved(false)), full);
  assert.deepEqual(
    REGISTRIES.map((name) => sandbox.requests.of(name)),
    [1, 1, 1],
  );
  assert.ok(sandbox.requests.total > before);
});

test("registries: an integration without one is no failure, lacks nothing, and is no other content", async (t) => {
  const { sandbox, source } = await open(t, { registries: ["curp-registry"] });
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved" && at % 2 === 0);
  const contents = new Set<string>();
  for (const status of [400, 403, 404]) {
    sandbox.intercept((request, response) => {
      if (!request.url!.endsWith("-registry")) return false;
      response.writeHead(status).end('{"status":"fail"}');
      return true;
    });
    const { gaps, content, files } = await source.dossier(sandbox.id(index), full);
    assert.deepEqual([gaps, files.length > 0], [[], true]);
    contents.add(canonicalJson(content));
  }
  assert.equal(contents.size, 1);
  assert.ok(![...contents].join().includes("registry"));
});

for (const [name, path, answer] of [
  ["media", /\/attempts\/[^/]+\/media$/, { images: [{ id: "a", context: "face", sessionId: OTHER }], videos: [] }],
  ["videos", /\/attempts\/[^/]+\/media$/, { images: [], videos: [{ id: "a", context: "face", sessionId: OTHER }] }],
  ["screening", /\/watchlist-screening$/, { data: { sessionId: OTHER, matchStatus: "no_match", hits: [] } }],
] as const)
  test(`${name} of another session are refused, and nothing is kept`, async (t) => {
    const { sandbox, source } = await open(t, { signs: "none" });
    sandbox.intercept((request, response) => {
      if (!path.test(request.url!)) return false;
      response.writeHead(200).end(JSON.stringify({ status: "success", ...answer }));
      return true;
    });
    const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
    await assert.rejects(source.dossier(sandbox.id(index), full), (error: Error) => {
      assert.match(error.message, /^GET \/.*: the answer is for another session$/);
      assert.equal((error as { code?: string }).code, "source-response");
      return true;
    });
  });

test("a reference image of an earlier session is kept: Veriff compared the person with it", async (t) => {
  const { sandbox, source } = await open(t, { signs: "none" });
  sandbox.intercept((request, response) => {
    if (!request.url!.includes("/attempts/")) return false;
    const images = [{ id: "a", context: "face-reference", sessionId: OTHER }];
    response.writeHead(200).end(JSON.stringify({ status: "success", images, videos: [] }));
    return true;
  });
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
  const { files } = await source.dossier(sandbox.id(index), full);
  assert.deepEqual(
    files.map(({ type }) => type),
    ["face_reference"],
  );
});

test("attempts without that of the decision are another session's, and refused", async (t) => {
  const { sandbox, source } = await open(t, { signs: "none" });
  const index = first(sandbox, (at) => statusOf(sandbox, at) === "approved");
  sandbox.intercept(({ url }, response) => {
    if (!url!.endsWith("/attempts")) return false;
    response.end(JSON.stringify({ status: "success", verifications: [{ id: OTHER, status: "approved" }] }));
    return true;
  });
  await assert.rejects(source.dossier(sandbox.id(index), full), {
    code: "source-response",
    message: "GET /sessions/{id}/attempts: the attempt of the decision is not in the list",
  });
});
