import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson } from "../../../src/record/canonical.ts";
import { timeOf } from "../../../src/source/sumsub/answers.ts";
import { answering, DAY, full, open, reviewOf, someone } from "./connect.ts";

const isGreen = (review: ReturnType<typeof reviewOf>) => review.reviewResult?.reviewAnswer === "GREEN";

test("times are read in all of Sumsub's dialects", () => {
  for (const text of [
    "2026-01-02 03:04:05",
    "2026-01-02 03:04:05+0000",
    "2026-01-02T03:04:05Z",
    "2026-01-02 04:04:05+01:00",
  ])
    assert.equal(timeOf(text), "2026-01-02T03:04:05Z", text);
  assert.equal(timeOf("2026-01-02 03:04:05.123"), "2026-01-02T03:04:05.123Z");
  for (const wrong of ["2026-01-02", "2026-13-02 03:04:05", "x", "", null, 5, {}]) assert.equal(timeOf(wrong), null);
});

test("what counts on by itself is in the answers, and not compared", async (t) => {
  const { sandbox, source, clock } = await open(t);
  const { id } = someone(sandbox);
  const before = await source.dossier(id, full);
  clock.now += DAY;
  const after = await source.dossier(id, full);
  assert.notDeepEqual(after.answers, before.answers);
  assert.equal(canonicalJson(after.content), canonicalJson(before.content));
});

test("the status has the answer, deactivation is a status, and nothing is lost by it", async (t) => {
  const { sandbox, source } = await open(t);
  const { index, id } = someone(sandbox, (at) => isGreen(reviewOf(sandbox, at)));
  const before = await source.dossier(id, full);
  assert.deepEqual([before.identity.status, before.identity.verified], ["completed/GREEN", true]);
  sandbox.deactivate([index]);
  const { identity, files, redacted, open: isOpen } = await source.dossier(id, full);
  assert.deepEqual(identity, { ...before.identity, status: "deactivated" });
  assert.deepEqual([files, redacted, isOpen], [before.files, false, false]);
  sandbox.deactivate([index], false);
  sandbox.change([index]);
  const rejected = await source.dossier(id, full);
  assert.deepEqual([rejected.identity.status, rejected.identity.verified], ["completed/RED/FINAL", false]);
});

test("an AML case that is not there is no gap, and one that comes is a change", async (t) => {
  const { sandbox, source } = await open(t);
  const { index, id } = someone(sandbox, (at) => at % 3 === 1);
  const before = await source.dossier(id, full);
  assert.deepEqual([before.gaps, before.identity.watchlist], [[], null]);
  sandbox.change([index], { part: "aml" });
  const after = await source.dossier(id, full);
  assert.notEqual(canonicalJson(after.content), canonicalJson(before.content));
  assert.ok(after.identity.watchlist);
});

test("AML cases that the token may not view are a gap, and asked for once; with aml: false they are neither", async (t) => {
  const { sandbox, connect } = await open(t, { rights: { aml: false } });
  const cases = () => sandbox.requests.of("api/applicants/…/amlCase");
  const source = connect();
  for (const id of sandbox.ids().slice(0, 8)) {
    const { gaps, identity } = await source.dossier(id, full);
    if (identity.status !== "init") assert.deepEqual(gaps, ["GET /resources/api/applicants/{applicantId}/amlCase"]);
  }
  assert.equal(cases(), 1);
  const { id } = someone(sandbox);
  const refused = await source.dossier(id, full);
  const without = await connect({ aml: false }).dossier(id, full);
  assert.deepEqual([without.gaps, cases()], [[], 1]);
  sandbox.setRights({ aml: true });
  const granted = await connect().dossier(id, full);
  assert.deepEqual(granted.gaps, []);
  assert.notEqual(canonicalJson(granted.content), canonicalJson(refused.content));
});

test("no one is asked about AML before they sent anything", async (t) => {
  const { sandbox, source } = await open(t);
  const index = sandbox.ids().findIndex((_, at) => reviewOf(sandbox, at).reviewStatus === "init");
  const dossier = await source.dossier(sandbox.id(index), full);
  assert.deepEqual([dossier.identity.status, dossier.redacted, dossier.gaps], ["init", false, []]);
  assert.equal(sandbox.requests.of("api/applicants/…/amlCase"), 0);
});

test("AML cases have a pace of their own, which minimal records do not need", async (t) => {
  const { sandbox, source } = await open(t, {}, { amlRate: { count: 20, per: 1_000 } });
  const ids = sandbox.ids().filter((_, at) => reviewOf(sandbox, at).reviewStatus !== "init");
  const times: number[] = [];
  sandbox.intercept(({ url }) => {
    if (url!.endsWith("/amlCase")) times.push(performance.now());
    return false;
  });
  await Promise.all(ids.slice(0, 10).map((id) => source.dossier(id, full)));
  assert.equal(times.length, 10);
  assert.ok(times.at(-1)! - times[0]! > 200, `all within ${times.at(-1)! - times[0]!} ms`);
  await Promise.all(ids.map((id) => source.dossier(id, { full: false })));
  assert.equal(times.length, 10);
});

test("erased data are told from a token that may not view them", async (t) => {
  const { sandbox, source } = await open(t);
  const { index, id } = someone(sandbox);
  sandbox.setRights({ personal: false });
  const lacking = await source.dossier(id, full);
  assert.equal(lacking.redacted, false);
  assert.deepEqual(lacking.gaps, [
    "GET /resources/applicants/{applicantId}/allDocs/docs",
    "GET /resources/applicants/{applicantId}/metadata/resources",
    "info",
  ]);
  sandbox.setRights({ personal: true });
  sandbox.redact([index]);
  const erased = await source.dossier(id, full);
  assert.deepEqual([erased.redacted, erased.gaps, erased.files], [true, [], []]);
});

test("an applicant is open until its review is completed, and for thirty days", async (t) => {
  const { sandbox, source, clock } = await open(t);
  const isOpen = async (id: string) => {
    const [whole, minimal] = [await source.dossier(id, full), await source.dossier(id, { full: false })];
    assert.equal(whole.open, minimal.open);
    return whole.open;
  };
  const index = sandbox.add(40).find((at) => reviewOf(sandbox, at).reviewStatus === "pending")!;
  const id = sandbox.id(index);
  assert.equal(await isOpen(id), true);
  clock.now += 29 * DAY;
  assert.equal(await isOpen(id), true);
  clock.now += 2 * DAY;
  assert.equal(await isOpen(id), false);
  // Something happened again, and then it is decided.
  const other = sandbox.add(40).find((at) => reviewOf(sandbox, at).reviewStatus === "pending")!;
  assert.equal(await isOpen(sandbox.id(other)), true);
  sandbox.change([other]);
  assert.equal(await isOpen(sandbox.id(other)), false);
});

test("the files are the images of all attempts, of actions, and the recording of a call", async (t) => {
  const { sandbox, source, clock } = await open(t, { recordingDelay: DAY });
  const { index, id } = someone(sandbox, (at) => at % 6 === 2 && at % 10 !== 7);
  sandbox.recapture([index]);
  sandbox.change([index], { part: "action" });
  const { files } = await source.dossier(id, full);
  const types = files.map(({ type }) => type);
  for (const type of ["document_image", "face_video", "call_video"]) assert.ok(types.includes(type), type);
  assert.equal(files.filter(({ id: file }) => file.startsWith("action/")).length, index % 5 === 0 ? 2 : 1);
  const pages = files.filter(({ type }) => type === "document_image").map(({ page }) => page);
  assert.ok(pages.every((page) => page === null || page === 1 || page === 2));
  const call = files.find(({ type }) => type === "call_video")!;
  assert.equal((await source.file(id, call)).mediaType, "video/mp4");
  // Until it is composed, a recording is missing; the next night has it.
  const later = sandbox.add(12).find((at) => at % 6 === 2 && "info" in sandbox.applicant(at));
  assert.ok(later !== undefined);
  const fresh = await source.dossier(sandbox.id(later), full);
  const recording = fresh.files.find(({ type }) => type === "call_video")!;
  await assert.rejects(source.file(sandbox.id(later), recording), { code: "source-missing" });
  clock.now += 2 * DAY;
  assert.equal((await source.file(sandbox.id(later), recording)).mediaType, "video/mp4");
});

test("a paper is a document_file, and its bytes are what was sent", async (t) => {
  const { sandbox, source } = await open(t);
  const { index, id } = someone(sandbox, (at) => at % 4 === 1 && at % 10 !== 7);
  const paper = (await source.dossier(id, full)).files.find(({ type }) => type === "document_file")!;
  const { mediaType, bytes } = await source.file(id, paper);
  assert.equal(mediaType, "application/pdf");
  const sent = (await sandbox.files(index)).find(({ slot }) => slot === "bill")!;
  assert.deepEqual(Buffer.concat(await Array.fromAsync(bytes)), sent.bytes);
});

test("a company is an applicant with its own name and number", async (t) => {
  const { sandbox, source } = await open(t);
  const { id } = someone(sandbox, (at) => at % 10 === 7);
  const { identity, answers } = await source.dossier(id, full);
  assert.match(String(identity.owner.lastName), / Holding$/);
  assert.equal(identity.documents[0]!.type, "company");
  assert.ok(answers.some(({ endpoint }) => endpoint === "GET /resources/checks/latest?type=COMPANY"));
});

test("the client's own names are metadata to look people up by", async (t) => {
  const { sandbox, source } = await open(t);
  const { index, id } = someone(sandbox, (at) => at % 4 === 0);
  const { metadata } = (await source.dossier(id, full)).identity as { metadata: Record<string, unknown> };
  const reference = sandbox.reference(index);
  assert.deepEqual([metadata.externalUserId, metadata.customer_id], [reference, reference]);
});

test("an older answer, which is a list, is read", async (t) => {
  const { sandbox, source } = await open(t);
  const { index, id } = someone(sandbox);
  const before = await source.dossier(id, full);
  const older = { list: { items: [sandbox.applicant(index)], totalItems: 1 } };
  answering(sandbox, "applicants/…/one", JSON.stringify(older));
  assert.deepEqual((await source.dossier(id, full)).identity, before.identity);
});

test("actions are read page by page, and pages that repeat are refused", async (t) => {
  const { sandbox, source } = await open(t);
  const { id } = someone(sandbox);
  const rows = (from: number, count: number) =>
    JSON.stringify({
      items: Array.from({ length: count }, (_, at) => ({ id: `action${from + at}` })),
      totalItems: 130,
    });
  const pages: string[] = [];
  sandbox.intercept(({ url }, response) => {
    const [, offset] = /^\/resources\/applicantActions\/.*[?&]offset=(\d+)/.exec(url!) ?? [];
    if (offset === undefined) return false;
    pages.push(offset);
    response.end(rows(Number(offset), offset === "0" ? 100 : 30));
    return true;
  });
  const { answers } = await source.dossier(id, full);
  assert.deepEqual(pages, ["0", "100"]);
  assert.equal(answers.filter(({ endpoint }) => endpoint.includes("applicantActions")).length, 2);
  answering(sandbox, "applicantActions", rows(0, 100));
  await assert.rejects(source.dossier(id, full), { code: "source-response" });
});

test("a list of images that is not whole is a gap", async (t) => {
  const { sandbox, source } = await open(t);
  const { id } = someone(sandbox);
  answering(sandbox, "applicants/…/metadata/resources", '{"items":[],"totalItems":3}');
  assert.deepEqual((await source.dossier(id, full)).gaps, [
    "GET /resources/applicants/{applicantId}/metadata/resources, beyond its first page",
  ]);
});

test("a kind of check that Sumsub refuses is left out; a right that lacks for all of them is one gap", async (t) => {
  const { sandbox, source } = await open(t);
  const { id } = someone(sandbox);
  answering(sandbox, "checks/latest", 400);
  const without = await source.dossier(id, full);
  assert.deepEqual(without.gaps, []);
  assert.ok(without.answers.every(({ endpoint }) => !endpoint.includes("/checks/")));
  answering(sandbox, "checks/latest", 403);
  assert.deepEqual((await source.dossier(id, full)).gaps, ["GET /resources/checks/latest"]);
});

test("a minimal record needs one request", async (t) => {
  const { sandbox, source } = await open(t);
  await source.dossier(sandbox.id(1), { full: false });
  assert.deepEqual(sandbox.requests.toJSON(), { "applicants/…/one 200": 1 });
});

test("a glance asks for the applicant alone, shows what the dossier showed, and moves with the review", async (t) => {
  const { sandbox, source, clock } = await open(t);
  for (const id of sandbox.ids())
    assert.equal(canonicalJson(await source.glance(id)), canonicalJson((await source.dossier(id, full)).glance));
  const { index, id } = someone(sandbox);
  sandbox.requests.clear();
  const before = canonicalJson(await source.glance(id));
  clock.now += DAY;
  assert.equal(canonicalJson(await source.glance(id)), before);
  assert.deepEqual(sandbox.requests.toJSON(), { "applicants/…/one 200": 2 });
  sandbox.change([index]);
  assert.notEqual(canonicalJson(await source.glance(id)), before);
  answering(sandbox, "applicants/…/one", JSON.stringify(sandbox.applicant(index + 1)));
  await assert.rejects(source.glance(id), { code: "source-response" });
  sandbox.intercept(undefined);
  sandbox.vanish([index]);
  for (const none of [id, "../levels"]) await assert.rejects(source.glance(none), { code: "source-missing" });
});
