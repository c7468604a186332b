import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, finished, read, related } from "./ask.ts";
import { startPersona } from "./server.ts";

test("random failures are of every kind, and repeat with the seed", async () => {
  const outcomes = async () => {
    await using sandbox = await startPersona({ fail: 40 });
    const seen: string[] = [];
    for (let n = 0; n < 80; n++) {
      seen.push(
        await ask(sandbox, "/rate-limits").then(
          ({ status, headers }) => `${status} ${headers.get("retry-after")}`,
          () => "reset",
        ),
      );
    }
    assert.equal(sandbox.requests.of("rate-limits", "reset"), seen.filter((outcome) => outcome === "reset").length);
    return seen;
  };
  const seen = await outcomes();
  assert.deepEqual(new Set(seen), new Set(["200 null", "500 null", "503 null", "429 null", "reset"]));
  assert.deepEqual(await outcomes(), seen);
});

test("a hook answers on both hosts, and requests are counted by endpoint", async () => {
  await using sandbox = await startPersona({ plainImages: true });
  const index = finished(sandbox);
  const id = sandbox.ids()[index]!;
  const [document] = related(sandbox, index, "documents");
  await read(sandbox, `/inquiries/${id}`);
  await read(sandbox, "/inquiries/search", {});
  const { data } = await read(sandbox, `/documents/${document!.id}`);
  await fetch((data.attributes["front-photo"] as { url: string }).url);
  for (const endpoint of ["inquiry", "search", "document", "file"] as const)
    assert.equal(sandbox.requests.of(endpoint, 200), 1, endpoint);
  sandbox.intercept((_, response) => {
    response.writeHead(418).end();
    return true;
  });
  assert.equal((await ask(sandbox, "/inquiries")).status, 418);
  assert.equal((await fetch(`${sandbox.filesOrigin}/x.png`)).status, 418);
});

test("what would change something is refused and counted", async () => {
  await using sandbox = await startPersona();
  const id = sandbox.ids()[0]!;
  const headers = { Authorization: `Bearer ${sandbox.apiKey}` };
  const { status } = await fetch(`${sandbox.url}/inquiries/${id}`, { method: "DELETE", headers });
  assert.equal(status, 403);
  assert.equal((await ask(sandbox, `/inquiries/${id}/resume`, {})).status, 403);
  assert.equal(sandbox.requests.of("write"), 2);
});

test("canaries cover the personal texts, ids, tokens and the key", async () => {
  await using sandbox = await startPersona({ plainImages: true });
  const index = finished(sandbox);
  const canaries = sandbox.canaries([index]);
  const { data, included } = await read(
    sandbox,
    `/inquiries/${sandbox.ids()[index]}?include=account,documents,verifications,reports,sessions,selfies`,
  );
  assert.ok(canaries.includes(sandbox.apiKey));
  for (const { id } of [data, ...included]) assert.ok(canaries.includes(id), id);
  const text = JSON.stringify([data, included]);
  for (const [, token] of text.matchAll(/access_token=([^"]+)/g))
    assert.ok(canaries.some((canary) => token!.includes(canary)));
  for (const [, name] of text.matchAll(/"filename":"(\w+)\./g)) assert.ok(canaries.includes(name!), `${name}`);
  const fields = data.attributes.fields as Record<string, { value: string }>;
  for (const name of ["email-address", "address-street-1", "identification-number"])
    assert.ok(canaries.includes(fields[name]!.value), name);
});
