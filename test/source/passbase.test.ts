import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExact } from "../../src/io/exact-json.ts";
import type { Page } from "../../src/source/source.ts";
import { first } from "../sandbox/ask.ts";
import { answerWith, collect, open, refusal } from "./connect.ts";

test("the project says which environment it is", async (t) => {
  const { source } = await open(t);
  const { id, name, environment } = await source.project();
  assert.ok(id.length > 8);
  assert.deepEqual([name, environment], ["holdfast-sandbox", "sandbox"]);
  assert.equal(source.kind, "passbase");
});

test("an identity is kept byte for byte: unknown fields, and numbers that JavaScript rounds", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40 });
  for (const [index, id] of sandbox.ids().entries()) {
    const { answers, listed, identity, redacted } = await source.dossier(id, { full: false });
    const { text } = answers[0]!;
    const wire = sandbox.identity(index);
    assert.equal(text, sandbox.text(index));
    assert.equal(JSON.stringify(listed), text);
    assert.match(text, /"review":\{.*"sequence":900719925474\d{3}[13579]\}/);
    assert.equal(redacted, false);
    assert.deepEqual([identity.id, identity.status, identity.score], [id, wire.status, wire.score ?? null]);
    assert.deepEqual(identity.owner, {
      email: wire.owner?.email ?? null,
      firstName: wire.owner?.first_name ?? null,
      lastName: wire.owner?.last_name ?? null,
    });
    assert.equal(identity.updated, new Date(wire.updated * 1000).toISOString().replace(".000", ""));
    assert.deepEqual(identity.documents, wire.resources);
    assert.deepEqual(identity.metadata, wire.metadata ?? null);
    assert.deepEqual(identity.network, wire.network ?? null);
    const verdict = { approved: true, verified: true, declined: false, unverified: false }[wire.status] ?? null;
    assert.equal(identity.verified, verdict);
  }
});

test("a redacted identity is recognised", async (t) => {
  const { sandbox, source } = await open(t);
  const index = first(sandbox, (i) => sandbox.resources(i).length > 0);
  sandbox.redact([index]);
  const { redacted, identity } = await source.dossier(sandbox.ids()[index]!, { full: false });
  assert.equal(redacted, true);
  assert.equal(identity.owner.email, null);
});

test("the list has every identity once, in order, exactly as the identity itself", async (t) => {
  const { sandbox, source } = await open(t, { identities: 230 });
  const pages: Page[] = [];
  for await (const page of source.pages()) pages.push(page);
  assert.deepEqual(
    pages.map(({ identities }) => identities.length),
    [100, 100, 30],
  );
  assert.equal(pages.at(-1)!.cursor, null);
  const listed = pages.flatMap(({ identities }) => identities);
  assert.deepEqual(
    listed.map(({ id }) => id),
    sandbox.ids(),
  );
  for (const [index, { raw }] of listed.entries()) assert.equal(JSON.stringify(raw), sandbox.text(index));
  assert.equal(source.requests, 3);
});

test("one page is in memory: the next is requested when the previous one is done", async (t) => {
  const { sandbox, source } = await open(t, { identities: 230 });
  const pages = source.pages()[Symbol.asyncIterator]();
  assert.equal(sandbox.requests.total, 0);
  for (let asked = 1; asked <= 3; asked++) {
    assert.equal((await pages.next()).done, false);
    // Anything requested ahead would have been sent before another request is answered.
    await source.project();
    assert.equal(sandbox.requests.of("identities"), asked);
  }
  assert.equal((await pages.next()).done, true);
  assert.equal(sandbox.requests.of("identities"), 3);
});

test("a walk continues from a page's cursor", async (t) => {
  const { sandbox, source } = await open(t, { identities: 130 });
  let cursor: string | null = null;
  for await (const page of source.pages()) {
    cursor = page.cursor;
    break;
  }
  const rest: string[] = [];
  for await (const page of source.pages({ cursor: cursor! })) rest.push(...page.identities.map(({ id }) => id));
  assert.deepEqual(rest, sandbox.ids().slice(100));
});

test("resources come from all their pages, with the exact text of each", async (t) => {
  const { sandbox, source } = await open(t, { identities: 20, pageSize: 1 });
  for (const [index, id] of sandbox.ids().entries()) {
    const wire = sandbox.resources(index);
    const { answers, files } = await source.dossier(id, { full: true });
    const texts = answers.slice(1).map(({ text }) => text);
    assert.equal(texts.length, Math.max(1, wire.length));
    const data = texts.flatMap((text) => (parseExact(text) as { data: unknown[] }).data);
    assert.deepEqual(data, wire);
    assert.deepEqual(
      files,
      wire.flatMap((resource) =>
        resource.resource_files.map(({ id, type, page, updated }) => ({
          ...{ id, resource: resource.id, type, page },
          updated: Temporal.Instant.fromEpochMilliseconds(updated * 1000).toString(),
        })),
      ),
    );
  }
});

test("files arrive as streams, with their bytes and their media type", async (t) => {
  const { sandbox, source } = await open(t, { videoBytes: 3_000_000 });
  const index = first(sandbox, (i) => sandbox.resources(i).length > 0);
  const id = sandbox.ids()[index]!;
  const { files } = await source.dossier(id, { full: true });
  assert.ok(files.some(({ type }) => type === "face_video"));
  for (const file of files) {
    const { mediaType, bytes } = await source.file(id, file);
    assert.equal(mediaType, file.type === "face_video" ? "video/mp4" : "image/png");
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) chunks.push(chunk);
    if (file.type === "face_video") assert.ok(chunks.length > 10, "in parts");
    assert.deepEqual(Buffer.concat(chunks), await sandbox.file(index, file.resource, file.id));
  }
});

test("an invalid media type is not passed on", async (t) => {
  const { sandbox, source } = await open(t);
  const ref = { id: "f", resource: "r", type: "document_image", page: 1, updated: "2024-01-01T00:00:00Z" };
  for (const [header, expected] of [
    ["Image/JPEG; charset=x", "image/jpeg"],
    ['"name" <mail@example.com>', "application/octet-stream"],
    [undefined, "application/octet-stream"],
  ] as const) {
    answerWith(sandbox, (response) => {
      response.writeHead(200, header === undefined ? {} : { "Content-Type": header }).end("bytes");
      return true;
    });
    const { mediaType, bytes } = await source.file("i", ref);
    assert.equal(mediaType, expected);
    assert.equal(String(await collect(bytes)), "bytes");
  }
});

test("ids are escaped so that they cannot change the path", async (t) => {
  const { sandbox, source } = await open(t);
  let asked = "";
  sandbox.intercept((request) => {
    asked = request.url!;
    return false;
  });
  await refusal(sandbox, source.dossier("../settings?x=1#y", { full: false }), "source-missing");
  assert.equal(asked, "/verification/v2/identities/..%2Fsettings%3Fx%3D1%23y");
});

test("a file abandoned before or during reading frees its connection", async (t) => {
  const { sandbox, source } = await open(t, { videoBytes: 20_000_000 }, { concurrency: 1 });
  const index = first(sandbox, (i) => sandbox.resources(i).length > 0);
  const id = sandbox.ids()[index]!;
  const video = (await source.dossier(id, { full: true })).files.find(({ type }) => type === "face_video")!;
  for (const chunks of [0, 1, 2]) {
    const iterator = (await source.file(id, video)).bytes[Symbol.asyncIterator]();
    for (let i = 0; i < chunks; i++) assert.equal((await iterator.next()).done, false);
    await iterator.return?.();
    assert.equal((await source.project()).environment, "sandbox");
  }
});
