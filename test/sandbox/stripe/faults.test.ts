import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, clockAt, read, reported } from "./ask.ts";
import { startStripe } from "./server.ts";

test("random failures are of every kind, and repeat with the seed", async () => {
  const outcomes = async () => {
    await using sandbox = await startStripe({ fail: 50 });
    const seen: string[] = [];
    for (let n = 0; n < 150; n++) {
      seen.push(
        await ask(sandbox, "/account").then(
          ({ status, headers }) => `${status} ${headers.get("stripe-rate-limited-reason")}`,
          () => "reset",
        ),
      );
    }
    return seen;
  };
  const seen = await outcomes();
  for (const outcome of ["200 null", "500 null", "503 null", "429 null", "429 endpoint-rate", "429 global-concurrency"])
    assert.ok(seen.includes(outcome), outcome);
  assert.ok(seen.includes("reset"));
  assert.deepEqual(await outcomes(), seen);
});

test("each limit answers 429 with its own reason, without Retry-After", async () => {
  await using sandbox = await startStripe({ endpointRate: 0.01 });
  const outcome = async (path: string) => {
    const { status, headers } = await ask(sandbox, path);
    return [status, headers.get("stripe-rate-limited-reason"), headers.get("retry-after")];
  };
  assert.deepEqual(await outcome("/account"), [200, null, null]);
  assert.deepEqual(await outcome("/account"), [429, "endpoint-rate", null]);
  assert.deepEqual(await outcome("/events"), [200, null, null]);
  sandbox.setFaults({ rate: 0.01 });
  await outcome("/account");
  assert.deepEqual(await outcome("/events"), [429, "global-rate", null]);
  sandbox.setFaults({ concurrency: 1, slow: 50, retryAfter: 3 });
  const two = await Promise.all([outcome("/account"), outcome("/account")]);
  assert.ok(two.some(([, reason, wait]) => reason === "global-concurrency" && wait === "3"));
});

test("a file link opens for 30 seconds to anyone, and notes a request that carries the key", async () => {
  const clock = clockAt();
  await using sandbox = await startStripe({ clock, plainImages: true });
  const index = reported(sandbox);
  const [file] = sandbox.reports(index)[0]!.document!.files!;
  const now = Math.floor(clock.now / 1000);
  for (const form of ["", `&expires_at=${now + 31}`, `&expires_at=${now}`])
    assert.equal((await ask(sandbox, "/file_links", `file=${file}${form}`)).status, 400, form);
  const { url } = await read(sandbox, "/file_links", `file=${file}&expires_at=${now + 30}`);
  assert.equal((await fetch(String(url))).status, 200);
  assert.equal((await fetch(String(url), { headers: { Authorization: `Bearer ${sandbox.apiKey}` } })).status, 400);
  assert.deepEqual(sandbox.leaks, ["authorization"]);
  clock.now += 30_000;
  assert.equal((await fetch(String(url))).status, 404);
  assert.equal((await fetch(`${sandbox.filesOrigin}/links/none`)).status, 404);
});

test("files are withheld or cut short on request, and contents need the key", async () => {
  await using sandbox = await startStripe({ plainImages: true, withhold: 100 });
  const index = reported(sandbox);
  const [file] = sandbox.reports(index)[0]!.document!.files!;
  const contents = `${sandbox.filesOrigin}/v1/files/${file}/contents`;
  assert.equal((await ask(sandbox, contents)).status, 403);
  sandbox.setFaults({ withhold: 0, truncate: 100 });
  const response = await ask(sandbox, contents);
  await assert.rejects(response.arrayBuffer());
  assert.equal((await fetch(contents)).status, 401);
});

test("what would change something is refused and counted, and a hook answers on both hosts", async () => {
  await using sandbox = await startStripe();
  const path = `/identity/verification_sessions/${sandbox.ids()[0]}`;
  for (const action of ["", "/redact", "/cancel"]) assert.equal((await ask(sandbox, path + action, "a=b")).status, 403);
  assert.equal(sandbox.requests.of("write"), 3);
  sandbox.intercept((_, response) => {
    response.writeHead(418).end();
    return true;
  });
  assert.equal((await ask(sandbox, path)).status, 418);
  assert.equal((await fetch(sandbox.filesOrigin)).status, 418);
});
