import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { HoldfastError } from "../../src/core/error.ts";
import { otherOrigin } from "../../src/source/other-origin.ts";
import { collect } from "./connect.ts";
import { type Got, http, KEY, serve } from "./server.ts";

const FILE = "GET files/{file}";
const SECRET = "token-77ab";
const CALL = { name: "GET /documents/{id}/download", path: "/documents/d1/download" };
const FIXED = { headers: { "x-version": "v3" } };

/** Nothing that the API gets, in any header or in the path. */
function assertBare(got: readonly Got[]): void {
  for (const { headers, method, body } of got) {
    assert.deepEqual([method, body], ["GET", ""]);
    const { host: _, connection: __, ...sent } = headers;
    assert.deepEqual(sent, { accept: "*/*", "accept-encoding": "identity", "user-agent": "holdfast" });
    assert.ok(!JSON.stringify(headers).includes(KEY));
  }
}

async function failure(work: Promise<unknown>): Promise<HoldfastError> {
  const error = await work.then(
    () => assert.fail("expected an error"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HoldfastError, inspect(error));
  const shown = [String(error), error.hint, inspect(error, { depth: 10 })].join();
  for (const hidden of [KEY, SECRET, "d1"]) assert.ok(!shown.includes(hidden), shown);
  return error;
}

test("a file elsewhere comes without key and fixed headers, and is retried", async (t) => {
  const api = await serve(t, (response) => response.end("{}"));
  const files = await serve(t, (response, count) =>
    response.writeHead(count === 1 ? 503 : 200, { "Content-Type": "image/png", "Retry-After": "0" }).end("bytes"),
  );
  const told: string[] = [];
  const client = http(t, api.url, { ...FIXED, onRequest: (name, outcome) => told.push(`${name} ${outcome}`) });
  const { mediaType, bytes } = await client.elsewhere(FILE, `${files.url}/a/b?access_token=${SECRET}`);
  assert.deepEqual([mediaType, String(await collect(bytes))], ["image/png", "bytes"]);
  assert.equal(files.got[1]!.url, `/a/b?access_token=${SECRET}`);
  assertBare(files.got);
  assert.equal(files.got.length, 2);
  assert.equal(api.got.length, 0);
  assert.deepEqual(told, [`${FILE} source-unavailable`, `${FILE} ok`]);
});

for (const [status, code] of [
  ...([401, 403] as const).map((each) => [each, "source-denied"] as const),
  ...([404, 410] as const).map((each) => [each, "source-missing"] as const),
  ...([301, 302, 307, 400] as const).map((each) => [each, "source-rejected"] as const),
] as const) {
  test(`${status} elsewhere is ${code}: no redirect is followed, and no key is blamed`, async (t) => {
    const files = await serve(t, (response) => response.writeHead(status, { Location: "/again" }).end(SECRET));
    const error = await failure(http(t, files.url).elsewhere(FILE, `${files.url}/f?t=${SECRET}`));
    assert.equal(error.code, code);
    assert.doesNotMatch(`${error.hint}`, /API key/);
    assert.equal(files.got.length, 1);
  });
}

for (const status of [301, 302, 303, 307, 308]) {
  test(`one redirect (${status}) is followed to another host, without the key`, async (t) => {
    const files = await serve(t, (response) => response.end("bytes"));
    const api = await serve(t, (response) =>
      response.writeHead(status, { Location: `${files.url}/f?sig=${SECRET}`, "Set-Cookie": "a=b" }).end(),
    );
    const client = http(t, api.url, FIXED);
    const { bytes } = await client.stream(CALL, { redirect: true });
    assert.equal(String(await collect(bytes)), "bytes");
    assert.equal(api.got[0]!.headers.authorization, `Bearer ${KEY}`);
    assertBare(files.got);
    assert.deepEqual([api.got.length, files.got.length, client.requests], [1, 1, 2]);
    assert.equal((await failure(client.stream(CALL))).code, "source-rejected");
  });
}

test("a second redirect is not followed; an expired link says so; a lost one is asked for again", async (t) => {
  let status = 302;
  const files = await serve(t, (response) => response.writeHead(status, { Location: "/more" }).end("bytes"));
  const api = await serve(t, (response) => response.writeHead(302, { Location: `${files.url}/f?s=${SECRET}` }).end());
  const client = http(t, api.url, FIXED);
  assert.equal((await failure(client.stream(CALL, { redirect: true }))).code, "source-rejected");
  status = 403;
  assert.equal((await failure(client.stream(CALL, { redirect: true }))).code, "source-denied");
  assert.deepEqual([api.got.length, files.got.length], [2, 2]);
  status = 503;
  assert.equal((await failure(client.stream(CALL, { redirect: true }))).code, "source-unavailable");
  assert.deepEqual([api.got.length, files.got.length], [5, 5]);
  assertBare(files.got);
});

test("without a redirect, a call that may be redirected is answered by the API", async (t) => {
  const api = await serve(t, (response) => response.end("bytes"));
  assert.equal(String(await collect((await http(t, api.url).stream(CALL, { redirect: true })).bytes)), "bytes");
});

test("an answer cannot lead out of TLS, into this network, or to a host with a password", () => {
  const api = "https://api.example.com/v1";
  for (const url of [
    ...["http://files.example.com/f", "http://127.0.0.1/f", "https://127.0.0.1/f", "https://localhost/f"],
    ...["https://10.0.0.1/f", "https://[::1]/f", "https://[fd00::1]/f", "https://0x7f.1/f", "https://intranet/f"],
    ...[
      "https://user:word@files.example.com/f",
      "ftp://files.example.com/f",
      "file:///etc/passwd",
      "",
      "//",
      "data:,a",
    ],
  ]) {
    assert.throws(
      () => otherOrigin(FILE, url, api),
      (error) =>
        error instanceof HoldfastError && error.code === "source-response" && !error.message.includes("passwd"),
      url,
    );
  }
  assert.equal(otherOrigin(FILE, "https://files.example.com:8443/f", api).port, "8443");
  assert.equal(otherOrigin(FILE, "https://10.0.0.1/f", "https://10.0.0.1/api").pathname, "/f");
  assert.equal(otherOrigin(FILE, "http://localhost:1/f", "http://127.0.0.1:2").port, "1");
});

test("a file elsewhere has the bounds of every file, and its host is not shown", async (t) => {
  const files = await serve(t, (response, count) => {
    if (count === 1) response.end("a".repeat(100));
    else if (count === 2) response.writeHead(200, { "Content-Length": 100 }).write("a part");
    else response.destroy();
  });
  const options = { maxFile: 50, retry: { retries: 0, minDelay: 1, maxDelay: 1, maxRetryAfter: 1 } };
  const client = http(t, files.url, options);
  const hasty = http(t, files.url, { ...options, timeouts: { connect: 10_000, headers: 1_000, body: 1_000 } });
  const url = `${files.url}/f?t=${SECRET}`;
  assert.equal(
    (await failure(client.elsewhere(FILE, url).then(({ bytes }) => collect(bytes)))).code,
    "source-response",
  );
  assert.equal(
    (await failure(hasty.elsewhere(FILE, url).then(({ bytes }) => collect(bytes)))).code,
    "source-unavailable",
  );
  const error = await failure(client.elsewhere(FILE, url));
  assert.equal(error.code, "source-unavailable");
  assert.ok(!error.message.includes("127.0.0.1"));
});

test("a redirect is two requests of the month's budget, and the second waits for its turn", async (t) => {
  const files = await serve(t, (response) => response.end("bytes"));
  const api = await serve(t, (response) => response.writeHead(302, { Location: `${files.url}/f` }).end());
  // One at a time: the first must not keep the second's place.
  const client = http(t, api.url, { budget: 3, concurrency: 1 });
  assert.equal(String(await collect((await client.stream(CALL, { redirect: true })).bytes)), "bytes");
  assert.deepEqual(client.limits.budget, { used: 2, of: 3 });
  assert.equal((await failure(client.stream(CALL, { redirect: true }))).code, "source-budget");
  assert.deepEqual([api.got.length, files.got.length], [2, 1]);
});
