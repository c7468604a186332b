import assert from "node:assert/strict";
import { test } from "node:test";
import { Configuration, DefaultApi } from "@onfido/api";
import Stripe from "stripe";
import type { RecordStored } from "../../src/audit/entry.ts";
import type { SealedRecord } from "../../src/record/record.ts";
import { startOnfido } from "../sandbox/onfido/server.ts";
import { startStripe } from "../sandbox/stripe/server.ts";
import { makeWorkplace, type Workplace } from "./workplace.ts";

// What the vendors' own clients read is what the sealed records hold, opened with the officer's key.

interface Opened {
  readonly entry: RecordStored;
  readonly record: SealedRecord;
}

async function* opened(place: Workplace): AsyncGenerator<Opened> {
  await place.export();
  for (const entry of await place.entries("record.stored")) yield { entry, record: await place.record(entry) };
}

/** Plain data: no classes, nothing undefined. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value));

/** The record's answers to one request, parsed. */
const answers = ({ raw }: SealedRecord, endpoint: string): unknown[] =>
  raw!.filter((answer) => answer.endpoint === endpoint).map(({ text }) => JSON.parse(text));

/** The bytes of every file of a record, opened; by its id at the provider. */
async function filesOf(place: Workplace, { entry, record }: Opened): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const { id, key } of record.files) {
    const { versionId } = entry.files.find((file) => file.key === key)!;
    files.set(id, await place.unseal(key, versionId));
  }
  return files;
}

/** Two sets of files are the same, byte for byte. */
function sameFiles(sealed: ReadonlyMap<string, Buffer>, read: ReadonlyMap<string, Buffer>): void {
  assert.deepEqual([...sealed.keys()].toSorted(), [...read.keys()].toSorted());
  for (const [id, bytes] of read) assert.ok(sealed.get(id)!.equals(bytes), "the bytes of a file differ");
}

const OUTPUTS = ["dob", "id_number", "sex", "unparsed_place_of_birth", "unparsed_sex"];
const REPORT = [
  ...["number", "expiration_date", "dob", "sex", "unparsed_place_of_birth", "unparsed_sex"].map(
    (name) => `document.${name}`,
  ),
  ...["id_number", "dob"].map((name) => `id_number.${name}`),
];

test("stripe reads of every session, report and file what the sealed record holds, but for the session's secrets", async () => {
  await using sandbox = await startStripe({ identities: 30, plainImages: true });
  await using place = await makeWorkplace(sandbox, { client: { source: { kind: "stripe" } } });
  const { hostname, port } = new URL(sandbox.url);
  const { identity, files } = new Stripe(sandbox.apiKey, {
    ...{ host: hostname, port: Number(port), protocol: "http", telemetry: false },
  });
  const contents = async (id: string): Promise<[string, Buffer]> => {
    const { url } = await files.retrieve(id);
    const response = await fetch(url!, { headers: { Authorization: `Bearer ${sandbox.apiKey}` } });
    return [id, Buffer.from(await response.arrayBuffer())];
  };
  let [compared, secrets] = [0, 0];
  for await (const { entry, record } of opened(place)) {
    const [{ id }] = answers(record, "GET /identity/verification_sessions/{id}") as [{ id: string }];
    const { lastResponse: _, ...session } = await identity.verificationSessions.retrieve(id, {
      expand: [
        ...["last_verification_report", "verified_outputs"],
        ...OUTPUTS.map((name) => `verified_outputs.${name}`),
        ...REPORT.map((name) => `last_verification_report.${name}`),
      ],
    });
    const expected = plain({ ...session, url: null, client_secret: null });
    assert.deepEqual(answers(record, "GET /identity/verification_sessions/{id}"), [expected]);
    if (session.client_secret) secrets += 1;
    const { data } = await identity.verificationReports.list({
      ...{ verification_session: id, limit: 100 },
      expand: REPORT.map((name) => `data.${name}`),
    });
    const sealed = answers(record, "GET /identity/verification_reports") as { data: unknown[] }[];
    assert.deepEqual(
      sealed.flatMap((page) => page.data),
      plain(data),
    );
    const ids = data.flatMap(({ document, selfie }) => [...(document?.files ?? []), selfie?.selfie ?? []].flat());
    sameFiles(await filesOf(place, { entry, record }), new Map(await Promise.all([...new Set(ids)].map(contents))));
    compared += record.files.length;
  }
  assert.ok(compared > 50 && secrets > 0, `${compared} files, ${secrets} secrets`);
});

/** The signed documents of a task, and the receipt. */
function signedIn(
  run: string,
  { task_def_id: kind = "", output }: { task_def_id?: string; output?: unknown },
  client: DefaultApi,
) {
  const [, signature] = /^(qualified|advanced|simple)_electronic_signature$/.exec(kind) ?? [];
  if (signature === undefined) return [];
  const download = {
    qualified: client.downloadQesDocument,
    advanced: client.downloadAesDocument,
    simple: client.downloadSesDocument,
  }[signature]!.bind(client);
  const { properties } = output as {
    properties: { signed_documents: { id: string }[]; receipt_document?: { id: string } };
  };
  const { signed_documents: documents, receipt_document: receipt } = properties;
  return [...documents, ...(receipt ? [receipt] : [])].map(
    ({ id }) => [`${signature}_signature/${run}/${id}`, download(run, id, BYTES)] as const,
  );
}

const BYTES = { responseType: "arraybuffer" } as const;

test("@onfido/api reads of every applicant what the sealed record holds, but for tokens, and every file", async () => {
  await using sandbox = await startOnfido({ identities: 60, plainImages: true, videoBytes: 4_000 });
  await using place = await makeWorkplace(sandbox, { client: { source: { kind: "onfido" } } });
  const client = new DefaultApi(new Configuration({ apiToken: sandbox.apiKey, basePath: sandbox.url }));
  const kinds = new Set<string>();
  for await (const { entry, record } of opened(place)) {
    const [{ id }] = answers(record, "GET /applicants/{applicant_id}") as [{ id: string }];
    const said = new Map<string, unknown[]>();
    const note = <T>(endpoint: string, { data }: { data: T }): T => {
      said.set(endpoint, [...(said.get(endpoint) ?? []), plain(data)]);
      return data;
    };
    const files = new Map<string, Buffer>();
    const add = async (file: string, download: Promise<{ data: { buffer: Buffer } }>): Promise<void> => {
      files.set(file, (await download).data.buffer);
      kinds.add(file.replaceAll(/\/[0-9a-f-]{36}/g, ""));
    };
    note("GET /applicants/{applicant_id}", await client.findApplicant(id));
    note("GET /applicants/{applicant_id}/consents", await client.findApplicantConsents(id));
    const runs = note(
      "GET /workflow_runs",
      await client.listWorkflowRuns(1, undefined, undefined, undefined, undefined, id),
    );
    for (const { id: run, status } of runs) {
      for (const { id: task } of note("GET /workflow_runs/{workflow_run_id}/tasks", await client.listTasks(run)))
        for (const [file, download] of signedIn(
          run,
          note("GET /workflow_runs/{workflow_run_id}/tasks/{task_id}", await client.findTask(run, task!)),
          client,
        ))
          await add(file, download);
      if (["approved", "declined", "review"].includes(status!))
        await add(`evidence/${run}`, client.downloadSignedEvidenceFile(run, BYTES));
    }
    for (const { id: check } of note("GET /checks", await client.listChecks(id)).checks)
      note("GET /reports", await client.listReports(check));
    for (const { id: document } of note("GET /documents", await client.listDocuments(id)).documents) {
      await add(`documents/${document}`, client.downloadDocument(document, BYTES));
      // No list says which documents have these.
      for (const [part, download] of [
        ["nfc_face", client.downloadNfcFace(document, BYTES)],
        ["video", client.downloadDocumentVideo(document, BYTES)],
      ] as const)
        await add(`documents/${document}/${part}`, download).catch((error) => assert.equal(error.response.status, 404));
    }
    for (const { id: photo } of note("GET /live_photos", await client.listLivePhotos(id)).live_photos)
      await add(`live_photos/${photo}`, client.downloadLivePhoto(photo, BYTES));
    for (const { id: video } of note("GET /live_videos", await client.listLiveVideos(id)).live_videos)
      await add(`live_videos/${video}`, client.downloadLiveVideo(video!, BYTES));
    for (const { id: capture } of note("GET /motion_captures", await client.listMotionCaptures(id)).motion_captures)
      await add(`motion_captures/${capture}`, client.downloadMotionCapture(capture!, BYTES));
    for (const { id: photo } of note("GET /id_photos", await client.listIdPhotos(id)).id_photos)
      await add(`id_photos/${photo}`, client.downloadIdPhoto(photo, BYTES));
    for (const { id: signed } of note("GET /signing_documents", await client.listSigningDocuments(id))
      .signing_documents)
      await add(`signing_documents/${signed}`, client.downloadSigningDocument(signed, BYTES));
    for (const { id: monitor } of note("GET /watchlist_monitors", await client.listWatchlistMonitors(id, true))
      .monitors)
      note("GET /watchlist_monitors/{monitor_id}/matches", await client.listWatchlistMonitorMatches(monitor!));
    for (const endpoint of new Set([...said.keys(), ...record.raw!.map((answer) => answer.endpoint)])) {
      kinds.add(endpoint);
      assert.deepEqual(answers(record, endpoint), said.get(endpoint)?.map(withoutTokens), endpoint);
    }
    sameFiles(await filesOf(place, { entry, record }), files);
  }
  for (const kind of [
    "GET /watchlist_monitors/{monitor_id}/matches",
    "documents/nfc_face",
    "documents/video",
    "evidence",
    ...["qualified", "advanced", "simple"].map((kind) => `${kind}_signature`),
  ])
    assert.ok(kinds.has(kind), `${kind} was compared`);
});

/** Without the token of an SDK and the address of a link, which Onfido makes again for each answer. */
function withoutTokens(value: unknown): unknown {
  const text = JSON.stringify(value, (name, part) => {
    if (name === "sdk_token" || name === "form_uri") return null;
    return name === "link" && part !== null ? { ...part, url: null } : part;
  });
  return JSON.parse(text);
}
