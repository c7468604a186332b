import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileRef } from "../../../src/core/identity.ts";
import { filesOrigin } from "../../../src/source/stripe/contents.ts";
import type { StripeSource } from "../../../src/source/stripe/stripe.ts";
import { full, open, reported } from "./connect.ts";

async function bytesOf(source: StripeSource, file: FileRef): Promise<Buffer> {
  const chunks = [];
  for await (const chunk of (await source.file("", file)).bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("files are read with the key, one request each once the first has said where", async (t) => {
  const { sandbox, source } = await open(t);
  const { files } = await source.dossier(sandbox.ids()[reported(sandbox)]!, full);
  for (const file of files) assert.deepEqual(await bytesOf(source, file), await sandbox.file(file.id));
  const { requests } = sandbox;
  assert.deepEqual([requests.of("file"), requests.of("contents"), requests.of("file_links")], [1, files.length, 0]);
});

test("where the key may not, each file is read by a link that Stripe would not let live longer", async (t) => {
  const { sandbox, source } = await open(t);
  const { files } = await source.dossier(sandbox.ids()[reported(sandbox)]!, full);
  sandbox.restrict({ contents: false });
  for (const file of files) assert.deepEqual(await bytesOf(source, file), await sandbox.file(file.id));
  const { requests } = sandbox;
  assert.deepEqual([requests.of("file_links", 200), requests.of("link", 200)], [files.length, files.length]);
  assert.equal(requests.of("contents"), 0);
});

test("a right to contents that ends is replaced by links, and asked for no more", async (t) => {
  const { sandbox, source } = await open(t, { identities: 40 });
  const index = reported(sandbox, (i) => sandbox.reports(i).length > 1);
  const { files } = await source.dossier(sandbox.ids()[index]!, full);
  await bytesOf(source, files[0]!);
  sandbox.restrict({ contents: false });
  for (const file of files.slice(1)) assert.deepEqual(await bytesOf(source, file), await sandbox.file(file.id));
  assert.equal(sandbox.requests.of("contents", 403), 1);
});

test("a key with neither right gets files withheld; a file that is gone is missing", async (t) => {
  const { sandbox, source, clock } = await open(t);
  const index = reported(sandbox);
  const { files } = await source.dossier(sandbox.ids()[index]!, full);
  sandbox.restrict({ contents: false, files: "read" });
  await assert.rejects(bytesOf(source, files[0]!), { code: "source-denied" });
  sandbox.restrict({ contents: true, files: "write" });
  const { sandbox: other, source: fresh } = await open(t, { clock });
  await bytesOf(fresh, files[0]!);
  other.redact([index]);
  clock.now += 4 * 86_400_000;
  await assert.rejects(bytesOf(fresh, files[0]!), { code: "source-missing" });
});

test("the key goes to Stripe's own files host, and on loopback to another port only", () => {
  const api = "https://api.stripe.com/v1";
  assert.equal(filesOrigin("https://files.stripe.com/v1/files/x/contents", api), "https://files.stripe.com");
  const local = "http://127.0.0.1:2/v1/files/x/contents";
  assert.equal(filesOrigin(local, "http://127.0.0.1:1/v1"), "http://127.0.0.1:2");
  for (const url of [
    local,
    "https://files.stripe.com.example/x",
    "http://files.stripe.com/x",
    "https://files.stripe.com:444/x",
    "https://files.stripe.com@example.org/x",
    "no address",
  ])
    assert.throws(() => filesOrigin(url, api), { code: "source-response" }, url);
});
