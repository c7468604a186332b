import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileRef } from "../../../src/core/identity.ts";
import { canonicalJson } from "../../../src/record/canonical.ts";
import { ask, DAY } from "../../sandbox/onfido/ask.ts";
import { secretMark } from "../../sandbox/onfido/secret.ts";
import { sendJson } from "../../sandbox/send.ts";
import { full, open, someone } from "./connect.ts";

const PEOPLE = { identities: 60 };
const endpoints = ({ answers }: { answers: readonly { endpoint: string }[] }) =>
  answers.map(({ endpoint }) => endpoint);

test("a dossier of Studio has runs with every task, one of Classic has checks with reports", async (t) => {
  const { sandbox, source } = await open(t, PEOPLE);
  const studio = await someone(sandbox, source, ({ answers }) =>
    answers.some(({ endpoint }) => /tasks\//.test(endpoint)),
  );
  const tasks = endpoints(studio.dossier).filter((name) => name.endsWith("/tasks/{task_id}"));
  assert.ok(tasks.length >= 2);
  const classic = await someone(sandbox, source, (dossier) => endpoints(dossier).includes("GET /reports"));
  for (const name of ["documents", "live_photos", "live_videos", "motion_captures", "id_photos", "signing_documents"])
    assert.ok(endpoints(classic.dossier).includes(`GET /${name}`), name);
  for (const name of ["GET /applicants/{applicant_id}/consents", "GET /watchlist_monitors"])
    assert.ok(endpoints(classic.dossier).includes(name), name);
});

test("a report that is still open, with arrays where others have objects, does no harm", async (t) => {
  const { sandbox, source } = await open(t, PEOPLE);
  const isOpen = ({ text }: { text: string }) => text.includes('"breakdown":[]');
  const { dossier } = await someone(sandbox, source, ({ answers }) => answers.some(isOpen));
  assert.equal(dossier.identity.verified, null);
});

test("both sides of a document are files with their page; the chip's picture and the video only where a report says so", async (t) => {
  const { sandbox, source } = await open(t, PEOPLE);
  const kinds = new Set<string>();
  for (const id of sandbox.ids()) {
    const { files } = await source.dossier(id, full);
    for (const { type, page } of files) kinds.add(`${type} ${page}`);
  }
  for (const kind of ["document_image 1", "document_image 2", "chip_image null", "document_video null"])
    assert.ok(kinds.has(kind), `${kind} is not in ${[...kinds]}`);
  assert.deepEqual(sandbox.requests.of("documents/…/nfc_face"), 0, "no probes");
});

test("PDFs of checks and frames of videos are never asked for", async (t) => {
  const { sandbox, source } = await open(t);
  for (const id of sandbox.ids())
    for (const file of (await source.dossier(id, full)).files)
      for await (const _ of (await source.file(id, file)).bytes);
  const asked = Object.keys(sandbox.requests.toJSON()).map((key) => key.split(" ")[0]);
  assert.deepEqual(
    asked.filter((endpoint) => /checks\/…\/download|frame|evidence_folder|timeline|write|other/.test(endpoint!)),
    [],
  );
});

test("an SDK token and a link, which are made again for each answer, are no change and not in any answer", async (t) => {
  const { sandbox, source } = await open(t, PEOPLE);
  const { id, dossier } = await someone(sandbox, source, ({ identity }) => identity.status === "awaiting_input");
  const again = await source.dossier(id, full);
  assert.equal(canonicalJson(again.content), canonicalJson(dossier.content));
  const wire = await (await ask(sandbox, `/workflow_runs?applicant_id=${id}`)).text();
  assert.equal(wire.split(secretMark(1)).length, 3, "Onfido answers with both");
  for (const { answers, content } of [dossier, again]) {
    assert.ok(!canonicalJson(content).includes(secretMark(1)));
    assert.ok(!answers.some(({ text }) => text.includes(secretMark(1))));
    // All other characters are Onfido's.
    const { text } = answers.find(({ endpoint }) => endpoint === "GET /workflow_runs")!;
    const secrets = new RegExp(`"[^"]*${secretMark(1)}[^"]*"`, "g");
    assert.equal(text, wire.replace(secrets, "null"));
  }
});

test("the evidence of a finished run comes from the host it is redirected to, without the token", async (t) => {
  const { sandbox, source, clock } = await open(t, { ...PEOPLE, evidenceDelay: DAY });
  let [redirected, direct] = [0, 0];
  for (const [index, id] of sandbox.ids().entries()) {
    const { files } = await source.dossier(id, full);
    for (const file of files.filter(({ type }) => type === "evidence_file")) {
      const { mediaType, bytes } = await source.file(id, file);
      assert.equal(mediaType, "application/pdf");
      assert.deepEqual(
        Buffer.concat(await Array.fromAsync(bytes)),
        (await sandbox.files(index)).find(({ slot }) => slot === "evidence")?.bytes,
      );
      if (index % 2 === 0) redirected++;
      else direct++;
    }
  }
  assert.ok(redirected > 0 && direct > 0);
  assert.equal(sandbox.requests.of("evidence", 200), redirected);
  // Until it is ready, it is missing; the next night has it.
  const { index, id } = await someone(sandbox, source, ({ files }) =>
    files.some(({ type }) => type === "evidence_file"),
  );
  clock.now += 365 * DAY;
  for (let turn = 0; turn < 3 && sandbox.run(index)!.status !== "declined"; turn++) sandbox.change([index]);
  const evidence = (await source.dossier(id, full)).files.find(({ type }) => type === "evidence_file")!;
  await assert.rejects(source.file(id, evidence), { code: "source-missing" });
  clock.now += DAY;
  assert.equal((await source.file(id, evidence)).mediaType, "application/pdf");
});

test("an applicant is open until its run or check has ended, and for thirty days", async (t) => {
  const { sandbox, source, clock } = await open(t);
  const [index] = sandbox.add(1);
  const id = sandbox.id(index!);
  const isOpen = async () => {
    const [whole, minimal] = [await source.dossier(id, full), await source.dossier(id, { full: false })];
    assert.equal(whole.open, minimal.open);
    return whole.open;
  };
  assert.equal(await isOpen(), true);
  clock.now += 29 * DAY;
  assert.equal(await isOpen(), true);
  clock.now += 70 * DAY;
  assert.equal(await isOpen(), false);
  const { id: old } = await someone(sandbox, source, ({ identity }) => identity.verified === true);
  assert.equal((await source.dossier(old, full)).open, false);
});

test("a glance asks for runs and checks, shows what the dossier showed, and moves with either", async (t) => {
  const { sandbox, source } = await open(t, PEOPLE);
  const both = await someone(sandbox, source, ({ answers }) => {
    const texts = new Map(answers.map(({ endpoint, text }) => [endpoint, text]));
    return texts.get("GET /workflow_runs") !== "[]" && texts.get("GET /checks") !== '{"checks":[]}';
  });
  const says = async () => canonicalJson(await source.glance(both.id));
  sandbox.requests.clear();
  const first = await says();
  assert.equal(first, canonicalJson(both.dossier.glance));
  assert.deepEqual(sandbox.requests.toJSON(), { "workflow_runs 200": 1, "checks 200": 1 });
  for (const id of sandbox.ids())
    assert.equal(canonicalJson(await source.glance(id)), canonicalJson((await source.dossier(id, full)).glance));
  let before = first;
  for (const part of ["run", "check"] as const) {
    sandbox.change([both.index], { part });
    const after = await says();
    assert.notEqual(after, before, part);
    before = after;
  }
  sandbox.remove([both.index]);
  await assert.rejects(source.glance(both.id), { code: "source-missing" });
  await assert.rejects(source.glance("../checks"), { code: "source-missing" });
});

test("what the key may not read is a gap, and its end is a change", async (t) => {
  const { sandbox, source } = await open(t);
  const { id, dossier } = await someone(sandbox, source, ({ files }) => files.length > 0);
  sandbox.intercept(({ url }, response) => {
    if (!url!.includes("/live_photos?")) return false;
    response.writeHead(403).end("{}");
    return true;
  });
  const without = await source.dossier(id, full);
  assert.deepEqual([dossier.gaps, without.gaps], [[], ["GET /live_photos"]]);
  assert.notEqual(canonicalJson(without.content), canonicalJson(dossier.content));
});

test("a minimal record needs three requests, none of them for documents, faces or reports", async (t) => {
  const { sandbox, source } = await open(t);
  sandbox.requests.clear();
  await source.dossier(sandbox.id(1), { full: false });
  assert.deepEqual(sandbox.requests.toJSON(), { "applicants/… 200": 1, "workflow_runs 200": 1, "checks 200": 1 });
});

test("runs on further pages are in the dossier, whether a Link says so or not", async (t) => {
  const { sandbox, source } = await open(t);
  const { index, id } = await someone(sandbox, source, ({ identity }) => identity.status === "approved");
  const run = sandbox.run(index)!;
  const named = (at: number) => ({ ...run, id: `00000000-0000-4000-8000-${String(at).padStart(12, "0")}` });
  for (const says of [true, false]) {
    sandbox.intercept(({ url }, response) => {
      const page = Number(/workflow_runs\?.*&page=(\d+)/.exec(url!)?.[1] ?? 0);
      if (page === 0) return false;
      const rows = page > 2 ? [] : Array.from({ length: page === 1 ? 20 : 3 }, (_, at) => named(20 * page + at));
      const link = says && page === 1 ? { Link: '<https://other.example/>; rel="next"' } : {};
      response.writeHead(200, link).end(JSON.stringify(rows));
      return true;
    });
    const { answers } = await source.dossier(id, { full: false });
    assert.equal(answers.filter(({ endpoint }) => endpoint === "GET /workflow_runs").length, 2, `Link: ${says}`);
    sandbox.intercept(({ url }, response) => {
      if (!/workflow_runs\?/.test(url!)) return false;
      response.end(JSON.stringify(Array.from({ length: 20 }, (_, at) => named(at))));
      return true;
    });
    await assert.rejects(source.dossier(id, { full: false }), { code: "source-response" });
  }
});

test("doctor learns what the key may not read, and that applicants are being deleted", async (t) => {
  const { sandbox, source } = await open(t);
  assert.deepEqual(
    (await source.checks()).map(({ outcome }) => outcome),
    ["ok"],
  );
  sandbox.remove([19, 18]);
  sandbox.intercept(({ url }, response) => {
    if (!url!.includes("/documents?")) return false;
    response.writeHead(403).end("{}");
    return true;
  });
  const [deleted, documents, ...others] = await source.checks();
  assert.match(deleted!.message, /^2 of the newest 20 applicants are being deleted/);
  assert.match(documents!.message, /may not ask GET \/documents/);
  assert.deepEqual(others, []);
  sandbox.remove([...Array(18).keys()]);
  assert.equal((await source.checks()).at(-1)!.outcome, "unknown");
});

test("a signed document of a task with a name of the client's own is asked for by each kind of signature", async (t) => {
  const { sandbox, source } = await open(t, { identities: 60 });
  const signed = ({ id }: { id: string }) => /^[a-z]+_signature\//.test(id);
  const { id, dossier } = await someone(sandbox, source, ({ files }) => files.some(signed));
  const bytes = async (file: FileRef) => Buffer.concat(await Array.fromAsync((await source.file(id, file)).bytes));
  const before = await Promise.all(dossier.files.filter(signed).map(bytes));
  const renamed = new Map<string, string>();
  for (const { endpoint, text } of dossier.answers)
    if (endpoint.includes("/tasks") && text.includes("_electronic_signature"))
      renamed.set(
        endpoint.endsWith("/tasks") ? "/tasks" : `/tasks/${(JSON.parse(text) as { id: string }).id}`,
        text.replace(/"task_def_id":\s*"[a-z]+_electronic_signature"/g, '"task_def_id":"sign_the_contract"'),
      );
  assert.equal(renamed.size, 2);
  sandbox.intercept(({ url }, response) => {
    const text = renamed.get(/\/tasks(\/[^/]+)?$/.exec(url!)?.[0] ?? "");
    if (text === undefined) return false;
    sendJson(response, 200, text);
    return true;
  });
  const { files } = await source.dossier(id, full);
  const found = files.filter(signed);
  assert.ok(found.length > 0 && found.every((file) => file.id.startsWith("any_signature/")));
  assert.deepEqual(await Promise.all(found.map(bytes)), before);
  const [file] = found;
  await assert.rejects(bytes({ ...file!, id: file!.id.replace(/[^/]+$/, "11111111-2222-4333-8444-555555555555") }), {
    code: "source-missing",
  });
});
