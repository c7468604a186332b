import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { parseRate } from "../../../src/config/rate.ts";
import { Secret } from "../../../src/config/secret.ts";
import { HoldfastError, hasCode } from "../../../src/core/error.ts";
import { Limits } from "../../../src/source/rate/limits.ts";
import { OwnStarts } from "../../../src/source/rate/starts.ts";
import { first } from "../../sandbox/ask.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { answerWith, collect, connect, open, quick, refusal } from "../connect.ts";

/** Gives up soon on what stalls. What does not must answer one of three times in this time, however busy the machine is. */
const hasty = { timeouts: { connect: 10_000, headers: 1_000, body: 1_000 } };

for (const [status, code] of [
  [401, "source-key"],
  [403, "source-denied"],
  [404, "source-missing"],
  [410, "source-missing"],
  ...([204, 301, 302, 307, 308, 400, 405, 418, 422, 499] as const).map((s) => [s, "source-rejected"] as const),
] as const) {
  test(`${status} is ${code}, after one request, for JSON and for files`, async (t) => {
    const { sandbox, source } = await open(t);
    const [id] = sandbox.ids();
    const requests = answerWith(sandbox, (response) => {
      // An error page may quote the request; a redirect may lead anywhere.
      const body = status === 204 ? "" : JSON.stringify({ error: { message: `${id} ${sandbox.apiKey}` } });
      response.writeHead(status, { Location: `${sandbox.url}/settings`, "Retry-After": "0" }).end(body);
      return true;
    });
    await refusal(sandbox, source.dossier(id!, { full: false }), code);
    assert.equal(requests.length, 1);
    const ref = { id: "f", resource: "r", type: "document_image", page: 1, updated: "2024-01-01T00:00:00Z" };
    await refusal(sandbox, source.file(id!, ref), code);
    assert.equal(requests.length, 2);
    assert.equal(source.requests, 2);
  });
}

test("a rotated key is read again, and a refused key still ends the run", async (t) => {
  const sandbox = await startSandbox({ identities: 1 });
  t.after(() => sandbox.close());
  let present = "the-key-of-yesterday";
  const source = connect(
    { url: sandbox.url, apiKey: present },
    { renewKey: async () => new Secret(present), concurrency: 1 },
  );
  t.after(() => source.close());
  await refusal(sandbox, source.project(), "source-key");
  present = sandbox.apiKey;
  await source.project();
  assert.equal(source.requests, 3);
});

test("a request repeated with another key keeps to the limits like any other", async (t) => {
  const sandbox = await startSandbox({ identities: 1 });
  t.after(() => sandbox.close());
  const starts = new OwnStarts(new Limits(parseRate("1000/s")));
  const start = t.mock.method(starts, "start");
  const renewKey = async () => new Secret(sandbox.apiKey);
  const source = connect({ url: sandbox.url, apiKey: "the-key-of-yesterday" }, { renewKey, starts });
  t.after(() => source.close());
  await source.project();
  assert.deepEqual([start.mock.callCount(), source.requests], [2, 2]);
});

test("requests whose key is refused at the same time wait for one new key", async (t) => {
  const sandbox = await startSandbox({ identities: 1 });
  t.after(() => sandbox.close());
  const release = Promise.withResolvers<Secret>();
  let asked = 0;
  const renewKey = () => {
    asked += 1;
    return release.promise;
  };
  const source = connect({ url: sandbox.url, apiKey: "the-key-of-yesterday" }, { renewKey, concurrency: 3 });
  t.after(() => source.close());
  const all = Promise.all([source.project(), source.project(), source.project()]);
  while (sandbox.requests.of("settings", 401) < 3) await setImmediate();
  release.resolve(new Secret(sandbox.apiKey));
  await all;
  assert.deepEqual([asked, source.requests], [1, 6]);
});

test("if the secret store is down when a key is read again, the request waits for it", async (t) => {
  const sandbox = await startSandbox({ identities: 1 });
  t.after(() => sandbox.close());
  let asked = 0;
  const renewKey = async () => {
    asked += 1;
    if (asked < 3) throw new HoldfastError("secrets-unavailable", "down");
    return new Secret(sandbox.apiKey);
  };
  const source = connect({ url: sandbox.url, apiKey: "the-key-of-yesterday" }, { renewKey });
  t.after(() => source.close());
  await source.project();
  assert.equal(asked, 3);
});

test("the real sandbox: a wrong key, a deleted identity, a withheld file; nothing is retried", async (t) => {
  const { sandbox, source } = await open(t, { withhold: 100 });
  const stranger = connect({ url: sandbox.url, apiKey: "some-other-key-1234" });
  t.after(() => stranger.close());
  const error = await refusal(sandbox, stranger.project(), "source-key");
  assert.ok(!String(error.cause).includes("some-other-key-1234"));
  const index = first(sandbox, (i) => sandbox.resources(i).length > 0);
  const id = sandbox.ids()[index]!;
  const { files } = await source.dossier(id, { full: true });
  await refusal(sandbox, source.file(id, files[0]!), "source-denied");
  sandbox.vanish([index]);
  await refusal(sandbox, source.dossier(id, { full: false }), "source-missing");
  await refusal(sandbox, source.dossier(id, { full: true }), "source-missing");
  const { requests } = sandbox;
  assert.deepEqual([requests.of("settings", 401), requests.of("file"), requests.of("identity")], [1, 1, 3]);
});

for (const status of [408, 429, 500, 502, 503, 504, 599]) {
  test(`${status} is retried, and given up as the policy says`, async (t) => {
    const retried: string[] = [];
    const { sandbox, source } = await open(t, {}, { onRetry: ({ code }) => retried.push(code) });
    const requests = answerWith(sandbox, (response, count) => {
      if (count === 3) return false;
      response.writeHead(status).end("busy");
      return true;
    });
    await source.project();
    assert.equal(requests.length, 3);
    const failing = answerWith(sandbox, (response) => Boolean(response.writeHead(status).end("busy")));
    await refusal(sandbox, source.project(), "source-unavailable");
    assert.equal(failing.length, quick.retries + 1);
    assert.deepEqual(retried, Array(4).fill("source-unavailable"));
    assert.equal(source.requests, 6);
  });
}

test("an export works with a provider that fails every third time", async (t) => {
  const { sandbox, source } = await open(
    t,
    { identities: 60, fail: 35, retryAfter: 0 },
    { retry: { ...quick, retries: 12 } },
  );
  const found = await Promise.all(sandbox.ids().map((id) => source.dossier(id, { full: false })));
  assert.deepEqual(
    found.map(({ answers }) => answers[0]!.text),
    sandbox.ids().map((_, index) => sandbox.text(index)),
  );
  assert.ok(sandbox.requests.of("identity", "reset") > 0);
  assert.ok(sandbox.requests.of("identity", 503) > 0);
});

const PARTIAL = '{"id":"';
const stalls: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  "headers that never come": () => {},
  "a body that stops": (response) => response.writeHead(200).write(PARTIAL),
};
const faults: Readonly<Record<string, (response: ServerResponse, text: string) => unknown>> = {
  ...stalls,
  "a reset connection": (response) => response.socket!.resetAndDestroy(),
  "a body cut short of its length": (response, text) => {
    response.writeHead(200, { "Content-Length": Buffer.byteLength(text) });
    response.write(text.slice(0, -20), () => response.destroy());
  },
  "a chunked body that is cut": (response, text) => response.write(text, () => response.destroy()),
  "no HTTP": (response, text) => response.socket!.end(text),
};

describe("retried, then unavailable", { concurrency: true }, () => {
  for (const [name, fault] of Object.entries(faults)) {
    test(name, async (t) => {
      const patience = name in stalls ? hasty : {};
      const faulty = (response: ServerResponse, text: string): true => {
        fault(response, text);
        return true;
      };
      const passing = async (): Promise<void> => {
        const { sandbox, source } = await open(t, {}, patience);
        const text = sandbox.text(0);
        answerWith(sandbox, (response, count) => count === 1 && faulty(response, text));
        assert.equal((await source.dossier(sandbox.ids()[0]!, { full: false })).answers[0]!.text, text);
      };
      const lasting = async (): Promise<void> => {
        const { sandbox, source } = await open(t, {}, { ...patience, retry: { ...quick, retries: 1 } });
        const requests = answerWith(sandbox, (response) => faulty(response, sandbox.text(0)));
        await refusal(sandbox, source.dossier(sandbox.ids()[0]!, { full: false }), "source-unavailable");
        assert.equal(requests.length, 2);
      };
      await Promise.all([passing(), lasting()]);
    });
  }
});

test("a refused connection is unavailable", async (t) => {
  const { sandbox } = await open(t);
  const closed = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => closed.once("listening", resolve));
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const source = connect({ url: `http://127.0.0.1:${port}/v2`, apiKey: sandbox.apiKey });
  t.after(() => source.close());
  await refusal(sandbox, source.dossier(sandbox.ids()[0]!, { full: false }), "source-unavailable");
  assert.equal(source.requests, quick.retries + 1);
});

test("a file that is cut off or stalls throws, and the bytes before that are right", async (t) => {
  const { sandbox, source } = await open(t, { truncate: 100, videoBytes: 2_000_000 });
  const index = first(sandbox, (i) => sandbox.resources(i).length > 0);
  const id = sandbox.ids()[index]!;
  for (const file of (await source.dossier(id, { full: true })).files) {
    const whole = await sandbox.file(index, file.resource, file.id);
    const chunks: Uint8Array[] = [];
    const read = (async () => {
      for await (const chunk of (await source.file(id, file)).bytes) chunks.push(chunk);
    })();
    await refusal(sandbox, read, "source-unavailable");
    const got = Buffer.concat(chunks);
    assert.ok(got.length < whole.length);
    assert.deepEqual(got, whole.subarray(0, got.length));
  }
  answerWith(sandbox, (response) => response.writeHead(200, { "Content-Length": 100 }).write("a part"));
  const impatient = connect(sandbox, hasty);
  t.after(() => impatient.close());
  const stalled = impatient.file(id, { id: "f", resource: "r", type: "t", page: null, updated: "" });
  await refusal(
    sandbox,
    stalled.then(({ bytes }) => collect(bytes)),
    "source-unavailable",
  );
});

test("a key that is invalid in a header is refused before any request, and not shown", async (t) => {
  const { sandbox } = await open(t);
  for (const key of ["two\nlines-of-key", "white space", "schlüssel", ""]) {
    await refusal(sandbox, Promise.try(connect, { url: sandbox.url, apiKey: key }), "config");
  }
  assert.throws(
    () => connect({ url: sandbox.url, apiKey: "x" }, { apiKey: new Secret("x\0y") }),
    (error) => hasCode(error, "config"),
  );
  assert.equal(sandbox.requests.total, 0);
});
