import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Configuration, DefaultApi } from "@onfido/api";
import { DAY, first } from "./ask.ts";
import { type Onfido, startOnfido } from "./server.ts";

/** Onfido's own client. It decodes downloads as text unless it is told otherwise. */
const clientOf = (sandbox: Onfido, apiToken = sandbox.apiKey) =>
  new DefaultApi(new Configuration({ apiToken, basePath: sandbox.url }));
const BYTES = { responseType: "arraybuffer" } as const;
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

const statusOf = (work: Promise<unknown>): Promise<number> =>
  work.then(
    () => 200,
    (error: { response: { status: number } }) => error.response.status,
  );

test("Onfido's client lists everyone page by page, and reads the headers", async () => {
  await using sandbox = await startOnfido({ identities: 45 });
  const client = clientOf(sandbox);
  const ids: string[] = [];
  for (let page = 1; ; page++) {
    const { data, headers } = await client.listApplicants(page, 20, true);
    ids.push(...data.applicants.map(({ id }) => id));
    assert.equal(headers["x-total-count"], "45");
    if (page < 3) assert.match(String(headers.link), new RegExp(`^<http.*[?&]page=${page + 1}.*>; rel="next"$`));
    else assert.equal(headers.link, undefined);
    if (headers.link === undefined) break;
  }
  assert.deepEqual(ids.toReversed(), sandbox.ids());
});

test("Onfido's client finds all files of a person, to the byte", async () => {
  await using sandbox = await startOnfido({ identities: 24, plainImages: true });
  const client = clientOf(sandbox);
  for (const [index, id] of sandbox.ids().entries()) {
    const got: string[] = [];
    const add = ({ data }: { data: { buffer: Buffer } }) => got.push(sha256(data.buffer));
    for (const document of (await client.listDocuments(id)).data.documents) {
      add(await client.downloadDocument(document.id, BYTES));
      for (const extra of [
        client.downloadNfcFace(document.id, BYTES),
        client.downloadDocumentVideo(document.id, BYTES),
      ])
        await extra.then(add, ({ response }: { response: { status: number } }) => assert.equal(response.status, 404));
    }
    for (const { id: photo } of (await client.listLivePhotos(id)).data.live_photos)
      add(await client.downloadLivePhoto(photo, BYTES));
    for (const { id: video } of (await client.listLiveVideos(id)).data.live_videos) {
      add(await client.downloadLiveVideo(video!, BYTES));
      assert.equal(await statusOf(client.downloadLiveVideoFrame(video!, BYTES)), 200);
    }
    for (const { id: capture } of (await client.listMotionCaptures(id)).data.motion_captures)
      add(await client.downloadMotionCapture(capture!, BYTES));
    for (const { id: photo } of (await client.listIdPhotos(id)).data.id_photos)
      add(await client.downloadIdPhoto(photo, BYTES));
    for (const { id: document } of (await client.listSigningDocuments(id)).data.signing_documents)
      add(await client.downloadSigningDocument(document, BYTES));
    const runs = await client.listWorkflowRuns(1, undefined, undefined, undefined, undefined, id);
    for (const { id: run } of runs.data) {
      for (const { id: task } of (await client.listTasks(run)).data) {
        const { task_def_id: kind = "", output } = (await client.findTask(run, task!)).data;
        const signed = { qualified: "Qes", advanced: "Aes", simple: "Ses" }[kind.split("_electronic")[0]!];
        if (signed === undefined) continue;
        const { signed_documents: documents, receipt_document: receipt } = (
          output as unknown as { properties: Record<string, { id: string }[] & { id: string }> }
        ).properties;
        for (const { id: file } of [...documents!, ...(receipt ? [receipt] : [])])
          add(await client[`download${signed as "Qes"}Document`](run, file, BYTES));
      }
      await client
        .downloadSignedEvidenceFile(run, BYTES)
        .then(add, ({ response }: { response: { status: number } }) => assert.equal(response.status, 404));
    }
    const expected = (await sandbox.files(index)).map(({ bytes }) => sha256(bytes));
    assert.deepEqual(got.toSorted(), expected.toSorted(), `the files of applicant ${index}`);
  }
  assert.deepEqual(sandbox.leaks, [], "axios does not send the token to the other host");
  assert.ok(
    sandbox.requests.of("evidence", 200) > 0 && sandbox.requests.of("workflow_runs/…/signed_evidence_file") > 0,
  );
});

test("Onfido's client reads checks and reports, whose parts are empty arrays while they are open", async () => {
  await using sandbox = await startOnfido({ identities: 60, plainImages: true });
  const client = clientOf(sandbox);
  const kinds = new Set<string>();
  let open = 0;
  for (const id of sandbox.ids()) {
    for (const check of (await client.listChecks(id)).data.checks) {
      const { reports } = (await client.listReports(check.id)).data;
      assert.deepEqual(
        reports.map((report) => report.id),
        check.report_ids,
      );
      for (const report of reports) {
        kinds.add(report.name);
        assert.equal((await client.findReport(report.id)).data.check_id, check.id);
        if (report.status === "complete") assert.ok(report.result && !Array.isArray(report.breakdown));
        else {
          assert.deepEqual([report.breakdown, report.properties, report.result], [[], [], null]);
          open++;
        }
      }
    }
  }
  assert.ok(open > 0 && kinds.size >= 8, `${open} open; ${[...kinds]}`);
});

test("Onfido's client reads runs with their tasks, consents and monitors", async () => {
  await using sandbox = await startOnfido({ identities: 60, plainImages: true });
  const client = clientOf(sandbox);
  let [tasks, lists, consents, monitors] = [0, 0, 0, 0];
  for (const id of sandbox.ids()) {
    consents += ((await client.findApplicantConsents(id)).data as unknown[]).length;
    monitors += (await client.listWatchlistMonitors(id)).data.monitors.length;
    for (const run of (await client.listWorkflowRuns(1, undefined, undefined, undefined, undefined, id)).data) {
      for (const task of (await client.listTasks(run.id)).data) {
        assert.equal("output" in task, false);
        const whole = (await client.findTask(run.id, task.id!)).data;
        tasks++;
        if (Array.isArray(whole.output)) lists++;
      }
    }
  }
  assert.ok(tasks > 50 && lists > 0 && consents > 0 && monitors > 0, `${[tasks, lists, consents, monitors]}`);
});

test("Onfido's client exchanges client credentials, and is refused with wrong ones", async () => {
  let now = Date.parse("2026-03-04T05:06:07Z");
  await using sandbox = await startOnfido({ clock: () => now, accessSeconds: 600 });
  const { clientId, clientSecret } = sandbox;
  const exchanging = (secret: string) =>
    new DefaultApi(
      new Configuration({ basePath: sandbox.url, oauthClientId: clientId, oauthClientSecret: secret } as never),
    );
  const client = exchanging(clientSecret);
  assert.equal((await client.listApplicants()).status, 200);
  assert.equal(sandbox.requests.of("oauth/token", 200), 1);
  now += DAY;
  assert.equal(await statusOf(client.listApplicants()), 401, "its own clock did not move");
  assert.notEqual(await statusOf(exchanging("wrong").listApplicants()), 200);
  assert.equal(await statusOf(clientOf(sandbox, "wrong").listApplicants()), 401);
});

test("Onfido's client sees deleted applicants in the list, and 410 for themselves", async () => {
  let now = Date.parse("2026-03-04T05:06:07Z");
  await using sandbox = await startOnfido({ clock: () => now, deletionDelay: 10 * DAY, plainImages: true });
  const client = clientOf(sandbox);
  const index = await first(sandbox, async (id) => (await client.listDocuments(id)).data.documents.length > 0);
  const id = sandbox.id(index);
  const { data } = await client.listDocuments(id);
  const count = async (deleted: boolean) => (await client.listApplicants(1, 100, deleted)).data.applicants.length;
  sandbox.remove([index]);
  assert.deepEqual([await count(false), await count(true)], [19, 20]);
  const row = (await client.listApplicants(1, 100, true)).data.applicants.find((one) => one.id === id);
  assert.equal(row?.delete_at, "2026-03-14T05:06:07Z");
  assert.equal(await statusOf(client.findApplicant(id)), 410);
  assert.equal(await statusOf(client.listDocuments(id)), 410);
  assert.equal(await statusOf(client.downloadDocument(data.documents[0]!.id, BYTES)), 410);
  sandbox.restore([index]);
  assert.equal((await client.findApplicant(id)).data.delete_at, null);
  sandbox.remove([index]);
  now += 11 * DAY;
  assert.deepEqual([await count(true), await statusOf(client.findApplicant(id))], [19, 404]);
  sandbox.restore([index]);
  assert.equal(await statusOf(client.findApplicant(id)), 404, "it cannot be restored any more");
});
