import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileRef } from "../../../src/core/identity.ts";
import { clockAt, finished, related } from "../../sandbox/persona/ask.ts";
import type { Persona } from "../../sandbox/persona/server.ts";
import { collect, refusal } from "../connect.ts";
import { full, open, rewrite } from "./connect.ts";

/** The names of all files that an inquiry's objects show now. */
function namesIn(sandbox: Persona, index: number, answers: readonly { readonly text: string }[]): Set<string> {
  const text = answers.map((answer) => answer.text).join();
  assert.ok(sandbox.ids()[index]);
  return new Set([...text.matchAll(/http:[^"]+\/([^/"]+)\?access_token=/g)].map(([, name]) => name!));
}

const nameOf = ({ id }: FileRef): string => id.split("#")[0]!.split("/").at(-1)!;

test("each picture is one file, to the byte, under a name that its place gives it", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40 });
  let seen = 0;
  const types = new Set<string>();
  for (const [index, id] of sandbox.ids().entries()) {
    const { files, answers } = await source.dossier(id, full);
    const names = namesIn(sandbox, index, answers);
    assert.deepEqual(files.map(nameOf).sort(), [...names].sort());
    assert.equal(new Set(files.map((file) => file.id)).size, files.length);
    for (const file of files) {
      types.add(file.type);
      assert.ok(file.id.startsWith(`${file.resource}/`));
      seen += 1;
      if (index % 8 !== 0) continue;
      const { mediaType, bytes } = await source.file(id, file);
      assert.equal(mediaType, file.type.endsWith("video") ? "video/mp4" : "image/png");
      assert.ok((await collect(bytes)).equals(await sandbox.file(nameOf(file))));
    }
  }
  assert.ok(seen > 100);
  assert.deepEqual([...types].sort(), ["case_file", "document_image", "face_image", "face_video", "field_file"]);
  assert.deepEqual(sandbox.leaks, []);
});

test("pages are numbered where the answer says which side it is", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40 });
  const index = finished(sandbox, (i) => {
    const [document] = related(sandbox, i, "documents");
    return sandbox.object(document!.id)!.attributes["back-photo"] !== null;
  });
  const { files } = await source.dossier(sandbox.ids()[index]!, full);
  const pages = files.filter(({ type }) => type === "document_image").map(({ page }) => page);
  assert.deepEqual(pages.slice(0, 2).sort(), [1, 2]);
});

test("a URL that expired is asked for again, once for all files of an answer", async (t) => {
  const clock = clockAt();
  const { sandbox, source } = await open(t, { clock });
  const id = sandbox.ids()[finished(sandbox)]!;
  const { files } = await source.dossier(id, full);
  clock.now += 21_601_000;
  const before = source.requests;
  const selfies = files.filter(
    ({ resource }) => resource === files.find((file) => file.type === "face_video")!.resource,
  );
  assert.ok(selfies.length > 3);
  for (const file of selfies) {
    const { bytes } = await source.file(id, file);
    assert.ok((await collect(bytes)).equals(await sandbox.file(nameOf(file))));
  }
  // One refused URL, one new answer.
  assert.equal(source.requests - before, selfies.length + 2);
  for (const file of files) await collect((await source.file(id, file)).bytes);
});

test("many files at once renew their URLs with one request for each answer", async (t) => {
  const clock = clockAt();
  const { sandbox, source } = await open(t, { clock });
  const id = sandbox.ids()[finished(sandbox)]!;
  const { files } = await source.dossier(id, full);
  clock.now += 21_601_000;
  const [inquiries, documents] = [sandbox.requests.of("inquiry"), sandbox.requests.of("document")];
  await Promise.all(files.map(async (file) => collect((await source.file(id, file)).bytes)));
  assert.equal(sandbox.requests.of("inquiry") - inquiries, 1);
  assert.ok(sandbox.requests.of("document") - documents <= 2);
});

test("a file that stays refused is withheld after one new URL; one that is gone is missing", async (t) => {
  const { sandbox, source } = await open(t);
  const index = finished(sandbox);
  const id = sandbox.ids()[index]!;
  const { files } = await source.dossier(id, full);
  sandbox.setFaults({ withhold: 100 });
  const before = source.requests;
  await refusal(sandbox, source.file(id, files[0]!), "source-denied");
  assert.equal(source.requests - before, 3);
  sandbox.setFaults({ withhold: 0 });
  sandbox.change([index], { files: true });
  await refusal(sandbox, source.file(id, files[0]!), "source-missing");
});

test("captured again, a picture is another file; checks and reports that ran again leave documents as they were", async (t) => {
  const { sandbox, source } = await open(t);
  const index = finished(sandbox, (i) => sandbox.inquiry(i).attributes.status === "approved");
  const id = sandbox.ids()[index]!;
  const names = async () => (await source.dossier(id, full)).files.map((file) => `${file.id} ${file.updated}`);
  const before = await names();
  sandbox.change([index], { part: "report" });
  assert.deepEqual(await names(), before);
  sandbox.change([index], { part: "checks" });
  const checked = await names();
  assert.deepEqual(
    checked.filter((name) => name.startsWith("docf_")),
    before.filter((name) => name.startsWith("docf_")),
  );
  sandbox.change([index], { part: "field", files: true });
  const again = await names();
  assert.equal(again.length, before.length);
  for (const name of again) assert.ok(!before.includes(name) && !checked.includes(name));
});

test("an answer that names another machine of this network as the files' host is refused", async (t) => {
  const { sandbox, source } = await open(t);
  const id = sandbox.ids()[finished(sandbox)]!;
  rewrite(sandbox, (_path, text) => text.replaceAll(sandbox.filesOrigin, "http://10.0.0.1"));
  const { files } = await source.dossier(id, full);
  await refusal(sandbox, source.file(id, files[0]!), "source-response");
});

test("a link that a person wrote into a field, or that a report leads to, is no file", async (t) => {
  const { sandbox, source } = await open(t);
  const index = finished(sandbox);
  const id = sandbox.ids()[index]!;
  const before = (await source.dossier(id, full)).files;
  const link = "https://evil.example/a.png?access_token=1";
  rewrite(sandbox, (_path, text) =>
    text
      .replaceAll('"matched-lists":[]', `"matched-lists":[{"url":"${link}"}]`)
      .replace('"fields":{', `"fields":{"home-url":{"type":"string","value":"${link}"},`),
  );
  assert.deepEqual((await source.dossier(id, full)).files, before);
});

test("two pictures with one name and one size are both kept", async (t) => {
  const { sandbox, source } = await open(t);
  const index = finished(sandbox);
  const id = sandbox.ids()[index]!;
  const same = [1, 2].map((n) => ({
    filename: "image.jpg",
    "byte-size": 5,
    url: `${sandbox.filesOrigin}/image.jpg?access_token=${n}`,
  }));
  const before = (await source.dossier(id, full)).files.length;
  rewrite(sandbox, (path, text) => {
    const answer = JSON.parse(text);
    if (path.includes("/documents/")) answer.data.attributes.files = same;
    return JSON.stringify(answer);
  });
  const { files } = await source.dossier(id, full);
  assert.equal(files.length - before, 2 * related(sandbox, index, "documents").length);
  assert.equal(new Set(files.map((file) => file.id)).size, files.length);
});
