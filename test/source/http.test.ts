import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { ServerResponse } from "node:http";
import { describe, test } from "node:test";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { Secret } from "../../src/config/secret.ts";
import { HoldfastError, hasCode } from "../../src/core/error.ts";
import { PROVIDERS } from "../../src/provider/provider.ts";
import type { Authentication } from "../../src/source/authentication.ts";
import { connect } from "./connect.ts";
import { http, KEY, serve } from "./server.ts";

for (const [auth, key, expected] of [
  [{ kind: "header", name: "x-api-key" }, KEY, { "x-api-key": KEY }],
  [{ kind: "scheme", scheme: "Bearer" }, KEY, { authorization: `Bearer ${KEY}` }],
  [{ kind: "scheme", scheme: "Token token=" }, KEY, { authorization: `Token token=${KEY}` }],
  [{ kind: "basic" }, "name", { authorization: `Basic ${btoa("name:")}` }],
  [{ kind: "basic" }, "name:word", { authorization: `Basic ${btoa("name:word")}` }],
] as const satisfies readonly (readonly [Authentication, string, Record<string, string>])[]) {
  test(`the key is shown as ${auth.kind}: ${Object.values(expected)}`, async (t) => {
    const { got, url } = await serve(t, (response) => response.end("{}"));
    await http(t, url, { auth, apiKey: new Secret(key) }).text({ name: "GET /a", path: "/a" }, 10);
    const { authorization, "x-api-key": header } = got[0]!.headers;
    assert.deepEqual(
      { authorization, "x-api-key": header },
      { authorization: undefined, "x-api-key": undefined, ...expected },
    );
  });
}

/** As Sumsub signs. */
const signed: Authentication = {
  kind: "signed",
  sign(secret, { method, path, body, now }) {
    const ts = String(Math.floor(now.epochMilliseconds / 1000));
    const sig = createHmac("sha256", secret.reveal()).update(`${ts}${method}${path}${body}`).digest("hex");
    return { "x-app-access-ts": ts, "x-app-access-sig": sig };
  },
};

test("a signature is made again for each attempt, over what is really sent", async (t) => {
  let now = Temporal.Instant.from("2025-12-31T23:59:30Z");
  const clock = () => now;
  const { got, url } = await serve(t, (response, count) => {
    now = now.add({ seconds: 30 });
    response.writeHead(count === 1 ? 503 : 200).end("{}");
  });
  const client = http(t, `${url}/resources/`, { auth: signed, apiKey: new Secret("sandbox-secret"), clock });
  await client.text({ name: "GET /applicants/{id}/one", path: "/applicants/65a000000000000000000001/one" }, 10);
  await client.text({ name: "POST /search", path: "/search?a=%20b", body: '{"q":1}' }, 10);
  const [first, retried, post] = got.map(({ headers }) => headers);
  assert.equal(retried!["x-app-access-sig"], "8b3683fcb19bbaee7040fce19a35e29d2186d0a449e6030305416527ab26c304");
  assert.deepEqual([first!["x-app-access-ts"], retried!["x-app-access-ts"]], ["1767225570", "1767225600"]);
  assert.notEqual(first!["x-app-access-sig"], retried!["x-app-access-sig"]);
  const text = `1767225630POST/resources/search?a=%20b{"q":1}`;
  assert.equal(post!["x-app-access-sig"], createHmac("sha256", "sandbox-secret").update(text).digest("hex"));
});

test("a read that is a POST sends JSON and is retried like a GET; fixed headers go with every request", async (t) => {
  const { got, url } = await serve(t, (response, count) => response.writeHead(count === 1 ? 500 : 200).end("{}"));
  const client = http(t, `${url}/api/v1/`, { headers: { "persona-version": "2025-12-08" } });
  await client.text({ name: "POST /search", path: "/search?page=1", body: '{"a":1}' }, 10);
  await client.text({ name: "GET /b", path: "/b" }, 10);
  assert.deepEqual(
    got.map(({ method, url: path, body, headers }) => [
      method,
      path,
      body,
      headers["content-type"],
      headers["persona-version"],
    ]),
    [
      ...Array(2).fill(["POST", "/api/v1/search?page=1", '{"a":1}', "application/json", "2025-12-08"]),
      ["GET", "/api/v1/b", "", undefined, "2025-12-08"],
    ],
  );
  for (const { headers } of got) assert.equal(headers["idempotency-key"], undefined);
});

test("a call may name another origin of the API, which gets the key and no base path, and may send a form", async (t) => {
  const [api, files] = [
    await serve(t, (response) => response.end("{}")),
    await serve(t, (response) => response.end("{}")),
  ];
  const client = http(t, `${api.url}/v1`, { auth: { kind: "scheme", scheme: "Bearer" } });
  await client.text({ name: "POST /links", path: "/links", body: "file=a&expires_at=1", form: true }, 10);
  await client.text({ name: "GET /files/{id}", path: "/v1/files/a", origin: files.url }, 10);
  const seen = [...api.got, ...files.got].map(({ method, url, body, headers }) => [
    ...[method, url, body, headers["content-type"], headers.authorization],
  ]);
  assert.deepEqual(seen, [
    ["POST", "/v1/links", "file=a&expires_at=1", "application/x-www-form-urlencoded", `Bearer ${KEY}`],
    ["GET", "/v1/files/a", "", undefined, `Bearer ${KEY}`],
  ]);
});

test("an answer's headers are returned, without those too long or repeated", async (t) => {
  const { url } = await serve(t, (response) => {
    const headers = {
      "Persona-Environment-Id": "env_1",
      "X-Long": "a".repeat(2_000),
      "X-Twice": ["a", "b"],
      __proto__: "x",
    };
    response.writeHead(200, headers).end("{}");
  });
  const { text, headers } = await http(t, url).text({ name: "GET /a", path: "/a" }, 10);
  assert.equal(text, "{}");
  assert.equal(headers["persona-environment-id"], "env_1");
  assert.equal(headers["x-long"], undefined);
});

test("a key that no header can contain is refused whatever its kind", (t) => {
  for (const auth of [{ kind: "basic" }, { kind: "scheme", scheme: "Bearer" }, signed] as const) {
    for (const key of ["two\nlines", "white space", "schlüssel", ""]) {
      assert.throws(
        () => http(t, "http://127.0.0.1:1", { auth, apiKey: new Secret(key) }),
        (error) => hasCode(error, "config"),
      );
    }
  }
});

describe("a refused key", () => {
  const now = Temporal.Instant.from("2026-03-01T12:00:00Z");
  for (const [date, expected] of [
    ["Sun, 01 Mar 2026 12:00:50 GMT", /answered 401$/],
    ["Sun, 01 Mar 2026 11:58:20 GMT", /answered 401, and this machine's clock is 100 s ahead of the provider's$/],
    ["Sun, 01 Mar 2026 13:00:00 GMT", /answered 401, and this machine's clock is 3601 s behind the provider's$/],
    ["tomorrow", /answered 401$/],
  ] as const) {
    test(`whose answer is of ${date}`, async (t) => {
      const { url } = await serve(t, (response) => response.writeHead(401, { Date: date }).end());
      const asked = http(t, url, { clock: () => now }).text({ name: "GET /a", path: "/a" }, 10);
      await assert.rejects(asked, (error) => {
        assert.ok(error instanceof HoldfastError);
        assert.equal(error.code, "source-key");
        assert.match(error.message, expected);
        assert.match(error.hint!, /source\.apiKey/);
        assert.equal(/NTP/.test(error.hint!), error.message.includes("clock"));
        return true;
      });
    });
  }
});

test("a refused key's hint names the source as the config does, its url, and the provider's word for the key", async (t) => {
  const { url } = await serve(t, (response) => response.writeHead(401).end());
  const hintOf = (options: { source?: string; keyIs?: string }) =>
    http(t, url, options)
      .text({ name: "GET /a", path: "/a" }, 10)
      .then(
        () => assert.fail(),
        ({ hint }: HoldfastError) => hint!,
      );
  assert.match(await hintOf({}), /Check source\.apiKey and source\.url: the key must be a secret API key/);
  const named = await hintOf({ source: "persona-eu" });
  assert.match(named, /Check apiKey and url of source persona-eu: /);
  assert.doesNotMatch(named, /publishable/);
  assert.match(await hintOf({ keyIs: "not the publishable one" }), /the key must be not the publishable one, /);
});

test("Passbase at its own address: the error says that the company closed, and that url is needed", async (t) => {
  // A port that no one listens on: no request leaves this machine.
  const before = process.env.https_proxy;
  process.env.https_proxy = "http://127.0.0.1:1";
  t.after(() => {
    if (before === undefined) delete process.env.https_proxy;
    else process.env.https_proxy = before;
  });
  const source = connect({ url: PROVIDERS.passbase.url, apiKey: KEY }, { source: "old" });
  t.after(() => source.close());
  await assert.rejects(source.project(), (error) => {
    assert.ok(error instanceof HoldfastError);
    assert.equal(error.code, "source-unavailable");
    assert.match(error.hint!, /^Passbase closed in 2023\. Set url of source old to a server/);
    return true;
  });
});

describe("a limit of some endpoints", () => {
  const [A, B, C] = ["a", "b", "c"].map((name) => ({ name: `GET /${name}`, path: `/${name}` }));
  const endpoints = [{ names: [A!.name, B!.name], rate: { count: 5, per: 1_000 } }];

  test("its calls wait for each other, and nothing else waits for them", async (t) => {
    const { url, got } = await serve(t, (response) => response.end("{}"));
    const client = http(t, url, { endpoints, concurrency: 1 });
    const begun = performance.now();
    await Promise.all([A, B, A].map((call) => client.text(call!, 10)));
    assert.ok(performance.now() - begun > 380);
    got.length = 0;
    const slow = http(t, url, {
      endpoints: [{ ...endpoints[0]!, rate: { count: 1, per: 3_600_000 } }],
      concurrency: 1,
    });
    await slow.text(A!, 10);
    const waiting = [A, B].map((call) => assert.rejects(slow.text(call!, 10)));
    await Promise.all(Array.from({ length: 20 }, () => slow.text(C!, 10)));
    assert.deepEqual(
      got.map(({ url: path }) => path),
      ["/a", ...Array(20).fill("/c")],
    );
    await slow.close();
    await Promise.all(waiting);
  });

  test("what waits while other requests take all places is not sent at once after that", async (t) => {
    const held: ServerResponse[] = [];
    const times: number[] = [];
    const { url } = await serve(t, (response) => {
      if (response.req.url === "/c") return void held.push(response);
      times.push(performance.now());
      response.end("{}");
    });
    const client = http(t, url, {
      ...{ endpoints: [{ names: [A!.name], rate: { count: 80, per: 1_000 } }], concurrency: 6 },
      rate: { count: 1_000, per: 1_000 },
    });
    const files = Array.from({ length: 6 }, () => client.text(C!, 10));
    while (held.length < 6) await nextTurn();
    const asked = Array.from({ length: 6 }, () => client.text(A!, 10));
    // It begins at 20/s: so long that all six would have got a start.
    await delay(400);
    assert.equal(times.length, 0);
    for (const response of held) response.end("{}");
    await Promise.all([...files, ...asked]);
    assert.ok(times.at(-1)! - times[0]! > 100, `${times}`);
  });

  test("its refusals are learned by the limit of all too, and retried", async (t) => {
    const { url } = await serve(t, (response, count) => response.writeHead(count === 1 ? 429 : 200).end("{}"));
    const client = http(t, url, { endpoints, rate: { count: 50, per: 1_000 } });
    await client.text(A!, 10);
    assert.equal(client.limits.refusals, 1);
  });

  test("a refusal that names its limit counts for that one alone", async (t) => {
    const refusals: Record<string, number> = {};
    for (const meant of ["all", "endpoint", "none"] as const) {
      const { url } = await serve(t, (response, count) =>
        response.writeHead(count === 1 ? 429 : 200, { "x-meant": meant }).end("{}"),
      );
      const client = http(t, url, {
        ...{ endpoints, rate: { count: 50, per: 1_000 } },
        limitMeant: ({ "x-meant": said }) => said as "all" | "endpoint" | "none",
      });
      await client.text(A!, 10);
      refusals[meant] = client.limits.refusals;
    }
    assert.deepEqual(refusals, { all: 1, endpoint: 0, none: 0 });
  });

  test("an endpoint that was refused for itself is asked more slowly", async (t) => {
    const times: number[] = [];
    const { url } = await serve(t, (response, count) => {
      times.push(performance.now());
      response.writeHead(count === 1 ? 429 : 200).end("{}");
    });
    const limitMeant = () => "endpoint" as const;
    const client = http(t, url, { endpoints: [{ names: [A!.name], rate: { count: 40, per: 1_000 } }], limitMeant });
    // It begins at 10/s, and the refusal halves that.
    await client.text(A!, 10);
    await client.text(A!, 10);
    assert.ok(times.at(-1)! - times.at(-2)! > 120, `${times}`);
  });
});
