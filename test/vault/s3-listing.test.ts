import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { S3Vault } from "../../src/vault/s3.ts";
import { document, element } from "../servers/strict-s3/answer.ts";
import { code } from "./refusal.ts";
import "../servers/s3.ts";

/** One page: its versions, and where it says that the next begins. */
interface Page {
  readonly items?: readonly string[];
  readonly isTruncated?: boolean;
  readonly next?: { readonly key?: string; readonly id?: string };
  readonly encoding?: string;
}

/** A server whose listings are written by the test: the page of each request, or the last one again. */
let server: Server;
let vault: S3Vault;
let pages: readonly Page[];
let asked: URLSearchParams[];

before(async () => {
  server = createServer((request, response) => {
    asked.push(new URL(request.url!, "http://localhost").searchParams);
    const page = pages[Math.min(asked.length, pages.length) - 1]!;
    const { items = [], next = {}, isTruncated = page.next !== undefined, encoding } = page;
    const { body, headers } = document("ListVersionsResult", [
      ...(encoding === undefined ? [] : [element("EncodingType", encoding)]),
      element("IsTruncated", isTruncated),
      ...(next.key === undefined ? [] : [element("NextKeyMarker", next.key)]),
      ...(next.id === undefined ? [] : [element("NextVersionIdMarker", next.id)]),
      ...items,
    ]);
    response.writeHead(200, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  vault = new S3Vault({
    ...{ bucket: "b", prefix: "p", endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    ...{ forcePathStyle: true, concurrency: 2, idleTimeout: 2000 },
    retry: { retries: 0, minDelay: 1, maxDelay: 1, maxRetryAfter: 0 },
  });
});
after(async () => {
  await vault.close();
  await new Promise((resolve) => server.close(resolve));
});

const version = (key: string, id: string | null = "1", size: string | number = 1): string =>
  element("Version", [element("Key", key), ...(id === null ? [] : [element("VersionId", id)]), element("Size", size)]);
const marker = (key: string, modified: string): string =>
  element("DeleteMarker", [element("Key", key), element("VersionId", "m"), element("LastModified", modified)]);

async function listed(...given: readonly Page[]): Promise<string[]> {
  pages = given;
  asked = [];
  const found = await Array.fromAsync(vault.versions("records/"));
  return found.map(({ key, versionId, size, deleteMarker }) => `${key} ${deleteMarker ? "marker" : size} ${versionId}`);
}

describe("a listing that an S3 server sends", () => {
  test("goes on where each page says, also within one key", async () => {
    const found = await listed(
      { items: [version("p/records/a", "2")], next: { key: "p/records/a", id: "2" } },
      { items: [version("p/records/a", "1")], next: { key: "p/records/a", id: "1" } },
      { items: [version("p/records/b")], next: { key: "p/records/b" } },
      {},
    );
    assert.deepEqual(found, ["records/a 1 2", "records/a 1 1", "records/b 1 1"]);
    assert.deepEqual(
      asked.map((each) => [each.get("key-marker"), each.get("version-id-marker")]),
      [
        [null, null],
        ["p/records/a", "2"],
        ["p/records/a", "1"],
        ["p/records/b", null],
      ],
    );
  });

  test("may have keys encoded as in forms, versions without an id, and keys of any characters", async () => {
    const items = [version("p/records/a+b%2Bc", null), version("p/records/%F0%9F%98%80")];
    assert.deepEqual(await listed({ items, encoding: "url" }), ["records/a b+c 1 null", "records/😀 1 1"]);
    assert.deepEqual(await listed({ items: [version("p/records/\ue000"), version("p/records/😀")] }), [
      "records/\ue000 1 1",
      "records/😀 1 1",
    ]);
  });

  test("has delete markers in their place", async () => {
    const items = [version("p/records/a"), version("p/records/c"), marker("p/records/b", "2026-01-01T00:00:00Z")];
    assert.deepEqual(await listed({ items }), ["records/a 1 1", "records/b marker m", "records/c 1 1"]);
  });

  const unusable: Readonly<Record<string, readonly Page[]>> = {
    "keys out of order": [{ items: [version("p/records/b"), version("p/records/a")] }],
    "keys out of order between pages": [
      { items: [version("p/records/b")], next: { key: "p/records/b" } },
      { items: [version("p/records/a")] },
    ],
    "a page that does not say where the next begins": [{ items: [version("p/records/a")], isTruncated: true }],
    "the same page again and again": [{ items: [version("p/records/a")], next: { key: "p/records/a" } }],
    "the same version marker again and again": [
      { items: [version("p/records/a")], next: { key: "p/records/a", id: "1" } },
    ],
    "two pages of one key in turn": [
      { next: { key: "p/records/a", id: "1" } },
      { next: { key: "p/records/a", id: "2" } },
      { next: { key: "p/records/a", id: "1" } },
    ],
    "a marker that goes back": [{ next: { key: "p/records/b" } }, { next: { key: "p/records/a" } }],
    "a key outside of the prefix": [{ items: [version("p/files/a")] }],
    "a version without a key": [{ items: [element("Version", [element("VersionId", "1")])] }],
    "a size that is no number": [{ items: [version("p/records/a", "1", "many")] }],
    "a negative size": [{ items: [version("p/records/a", "1", -1)] }],
    "a size that is no whole number": [{ items: [version("p/records/a", "1", 1.5)] }],
    "an unknown encoding": [{ items: [version("p/records/a")], encoding: "base64" }],
    "a key that cannot be decoded": [{ items: [version("p/records/%E0%A4%A")], encoding: "url" }],
  };
  for (const [what, given] of Object.entries(unusable)) {
    test(`is refused, not believed and not followed without end: ${what}`, async () => {
      await assert.rejects(listed(...given), (error: Error) => {
        assert.ok(code("vault-unfit")(error));
        assert.match(error.message, /LIST versions of records\//);
        return true;
      });
      assert.ok(asked.length <= 5, `${asked.length} requests`);
    });
  }
});
