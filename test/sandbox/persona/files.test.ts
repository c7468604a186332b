import assert from "node:assert/strict";
import { test } from "node:test";
import { startSandbox } from "../server.ts";
import { clockAt, finished, read, related, urlsIn } from "./ask.ts";
import { type Persona, startPersona } from "./server.ts";

const status = async (url: string, init?: RequestInit) => (await fetch(url, init)).status;

async function documentUrl(sandbox: Persona, index: number): Promise<string> {
  const [document] = related(sandbox, index, "documents");
  const { data } = await read(sandbox, `/documents/${document!.id}`);
  return (data.attributes["front-photo"] as { url: string }).url;
}

test("a file's URL is on another host, made again for each answer, and expires", async () => {
  const clock = clockAt();
  await using sandbox = await startPersona({ plainImages: true, clock });
  const index = finished(sandbox);
  const url = await documentUrl(sandbox, index);
  const again = await documentUrl(sandbox, index);
  assert.notEqual(new URL(url).origin, new URL(sandbox.url).origin);
  assert.notEqual(url, again);
  assert.equal(new URL(url).pathname, new URL(again).pathname);
  clock.now += 21_599_000;
  assert.equal(await status(url), 200);
  clock.now += 2_000;
  assert.equal(await status(url), 403);
  assert.equal(await status(await documentUrl(sandbox, index)), 200);
  sandbox.restrict({ fileSeconds: 60 });
  const short = await documentUrl(sandbox, index);
  clock.now += 61_000;
  assert.equal(await status(short), 403);
  assert.equal(await status(url.split("?")[0]!), 403);
});

test("a token opens only its own file", async () => {
  await using sandbox = await startPersona({ plainImages: true });
  const [one, two] = [finished(sandbox), finished(sandbox, (i) => i > finished(sandbox))];
  const [a, b] = [await documentUrl(sandbox, one), await documentUrl(sandbox, two)];
  assert.equal(await status(b.split("?")[0]! + new URL(a).search), 403);
});

test("the files' host refuses and remembers a request that carries the key", async () => {
  await using sandbox = await startPersona({ plainImages: true });
  const url = await documentUrl(sandbox, finished(sandbox));
  assert.equal(await status(url), 200);
  assert.deepEqual(sandbox.leaks, []);
  assert.equal(await status(url, { headers: { Authorization: `Bearer ${sandbox.apiKey}` } }), 400);
  assert.equal(await status(url, { headers: { Authorization: "Basic eDp5" } }), 400);
  assert.equal(await status(url, { headers: { "X-Key": sandbox.apiKey } }), 400);
  assert.equal(await status(`${url}&key=${sandbox.apiKey}`), 400);
  const path = new URL(url).pathname;
  assert.deepEqual(sandbox.leaks, [`authorization ${path}`, `authorization ${path}`, `x-key ${path}`, `url ${path}`]);
});

test("one picture has several URLs: in the document, its file, and the verification", async () => {
  await using sandbox = await startPersona({ plainImages: true });
  const index = finished(sandbox);
  const [document] = related(sandbox, index, "documents");
  const { data, included } = await read(sandbox, `/documents/${document!.id}?include=document-files`);
  const name = (data.attributes["front-photo"] as { filename: string }).filename;
  const verification = related(sandbox, index, "verifications").find(({ type }) => type.endsWith("government-id"));
  const verified = await read(sandbox, `/verifications/${verification!.id}`);
  const urls = [data, included, verified.data].map((part) => urlsIn(part).filter((url) => url.includes(name)));
  assert.deepEqual(
    urls.map(({ length }) => length),
    [1, 1, 4],
  );
  assert.equal(await status(urls[2]![3]!), 200);
  const bytes = Buffer.from(await (await fetch(urls[0]![0]!)).arrayBuffer());
  assert.equal(bytes.length, (data.attributes["front-photo"] as { "byte-size": number })["byte-size"]);
  assert.ok(bytes.equals(await sandbox.file(name)));
});

test("the pictures show the same people as Passbase's, and the bytes depend on the seed alone", async () => {
  const front = async (seed: number) => {
    await using sandbox = await startPersona({ identities: 3, repeats: 0, seed });
    const index = finished(sandbox);
    const { data } = await read(sandbox, `/inquiries/${sandbox.ids()[index]}`);
    const [document] = related(sandbox, index, "documents");
    const photo = sandbox.object(document!.id)!.attributes["front-photo"] as { filename: string };
    return { index, data: JSON.stringify(data), bytes: await sandbox.file(photo.filename) };
  };
  const [one, same, other] = [await front(1), await front(1), await front(2)];
  assert.equal(one.data, same.data);
  assert.ok(one.bytes.equals(same.bytes)); // not deepEqual, which takes minutes to show how two pictures differ
  assert.ok(!one.bytes.equals(other.bytes));
  await using passbase = await startSandbox({ identities: 3 });
  const [resource] = passbase.resources(one.index);
  const picture = await passbase.file(one.index, resource!.id, resource!.resource_files[0]!.id);
  assert.ok(picture.equals(one.bytes));
});

test("captured again, a picture has a new name and new bytes, and the old name is gone", async () => {
  await using sandbox = await startPersona({ plainImages: true });
  const index = finished(sandbox);
  const url = await documentUrl(sandbox, index);
  const bytes = await sandbox.file(url);
  const updated = sandbox.inquiry(index).attributes["updated-at"];
  sandbox.change([index], { files: true });
  const again = await documentUrl(sandbox, index);
  assert.equal(await status(url), 404);
  assert.ok(!bytes.equals(await sandbox.file(again)));
  assert.notEqual(sandbox.inquiry(index).attributes["updated-at"], updated);
});

test("files are withheld, cut short and streamed long at random, as asked", async () => {
  await using sandbox = await startPersona({ plainImages: true, withhold: 100, videoBytes: 300_000 });
  const index = finished(sandbox);
  const url = await documentUrl(sandbox, index);
  assert.equal(await status(url), 403);
  sandbox.setFaults({ withhold: 0, truncate: 100 });
  await assert.rejects((await fetch(url)).arrayBuffer());
  sandbox.setFaults({ truncate: 0 });
  const selfie = related(sandbox, index, "verifications").find(({ type }) => type.endsWith("selfie"))!;
  const video = sandbox.object(selfie.id)!.attributes["video-url"] as string;
  assert.equal((await (await fetch(video)).arrayBuffer()).byteLength, 300_000);
});
