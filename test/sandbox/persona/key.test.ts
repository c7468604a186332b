import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, clockAt, finished, read, related } from "./ask.ts";
import { startPersona } from "./server.ts";

const INCLUDE = "account,documents,selfies,verifications,reports,sessions";

test("a missing or wrong key gets 401 without the headers of an account", async () => {
  await using sandbox = await startPersona();
  const none = await fetch(`${sandbox.url}/inquiries`);
  assert.equal(none.status, 401);
  assert.equal(none.headers.get("persona-environment-id"), null);
  assert.deepEqual(await none.json(), { errors: [{ title: "Must be authenticated to access this endpoint" }] });
  const wrong = await ask(sandbox, "/inquiries", undefined, { Authorization: "Bearer persona_sandbox_x" });
  assert.deepEqual([wrong.status, await wrong.json()], [401, { errors: [{ title: "Token is invalid" }] }]);
});

test("every authenticated answer has the request, environment, organization and rate headers", async () => {
  await using sandbox = await startPersona({ limit: 300 });
  const environments = new Set<string | null>();
  for (const path of ["/inquiries", "/inquiries/x", "/api-keys", "/inquiries?include=account"]) {
    const { headers } = await ask(sandbox, path);
    assert.match(headers.get("request-id")!, /^req_\w{24}$/);
    assert.match(headers.get("persona-organization-id")!, /^org_/);
    environments.add(headers.get("persona-environment-id"));
    assert.equal(headers.get("ratelimit-limit"), "300");
    assert.equal(headers.get("ratelimit-reset"), "60");
  }
  assert.equal(environments.size, 1);
});

test("beyond the minute's limit it answers 429 without Retry-After, until the window ends", async () => {
  const clock = clockAt();
  await using sandbox = await startPersona({ limit: 3, clock });
  const statuses = [];
  for (let n = 0; n < 4; n++) statuses.push((await ask(sandbox, "/rate-limits")).status);
  assert.deepEqual(statuses, [200, 200, 200, 429]);
  clock.now += 20_000;
  const { status, headers } = await ask(sandbox, "/inquiries");
  const wait = ["ratelimit-remaining", "ratelimit-reset", "retry-after"].map((name) => headers.get(name));
  assert.deepEqual([status, ...wait], [429, "0", "40", null]);
  clock.now += 40_000;
  const { data } = await read(sandbox, "/rate-limits");
  assert.deepEqual(data[0]!.attributes, { limit: 3, remaining: 2, "seconds-to-reset": 60 });
});

test("a request that pins nothing gets another inflection and an older version", async () => {
  await using sandbox = await startPersona({ plainImages: true });
  const index = finished(sandbox);
  const path = `/inquiries/${sandbox.ids()[index]}`;
  const pinned = await read(sandbox, path);
  assert.deepEqual(pinned.included, []);
  assert.ok("updated-at" in pinned.data.attributes && !("name-first" in pinned.data.attributes));
  const loose = await read(sandbox, path, undefined, {});
  assert.ok("updatedAt" in loose.data.attributes && "nameFirst" in loose.data.attributes);
  assert.ok("emailAddress" in (loose.data.attributes.fields as object));
  assert.ok(loose.included.some(({ attributes }) => "runHistory" in attributes));
  const snake = await read(sandbox, path, undefined, { "Key-Inflection": "snake", "Persona-Version": "2025-12-08" });
  assert.ok("updated_at" in snake.data.attributes && "email-address" in (snake.data.attributes.fields as object));
  assert.equal((await ask(sandbox, path, undefined, { "Persona-Version": "2031-01-01" })).status, 400);
});

test("includes come as asked, one level deep, each object once, in an order that changes", async () => {
  await using sandbox = await startPersona({ plainImages: true });
  const index = finished(sandbox);
  const path = `/inquiries/${sandbox.ids()[index]}`;
  const orders = new Set<string>();
  for (let n = 0; n < 8; n++) {
    const { included } = await read(sandbox, `${path}?include=${INCLUDE},documents.inquiry-template`);
    const ids = included.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    orders.add(ids.join());
    const names = ["account", "documents", "selfies", "verifications", "reports", "sessions"];
    const wanted = names.flatMap((name) => [related(sandbox, index, name)].flat().map(({ id }) => id));
    assert.deepEqual(ids.filter((id) => !id.startsWith("itmpl_")).sort(), wanted.sort());
    assert.equal(ids.length, wanted.length + 1);
  }
  assert.ok(orders.size > 1);
  for (const bad of ["nothing", "document-files", "documents.inquiry.account"])
    assert.equal((await ask(sandbox, `${path}?include=${bad}`)).status, 400);
});

test("the blocklist strips attributes silently, by name or by path; ids and types stay", async () => {
  await using sandbox = await startPersona({ plainImages: true });
  const path = `/inquiries/${sandbox.ids()[finished(sandbox)]}?include=verifications`;
  sandbox.restrict({ blocklist: ["name-*", "/included/attributes/birthdate", "/data/attributes/reference-id"] });
  const { data, included } = await read(sandbox, path);
  assert.ok(!("reference-id" in data.attributes));
  assert.deepEqual(
    Object.keys(data.attributes.fields as object).filter((name) => name.startsWith("name")),
    [],
  );
  assert.ok("birthdate" in (data.attributes.fields as object));
  for (const { id, type, attributes } of included) {
    assert.ok(id && type);
    assert.ok(!("birthdate" in attributes) && !("name-first" in attributes));
  }
});

test("without a permission its endpoints answer 403, and its objects are not included", async () => {
  await using sandbox = await startPersona({ plainImages: true });
  const index = finished(sandbox);
  const [report] = related(sandbox, index, "reports");
  sandbox.restrict({ permissions: ["inquiry.read", "account.read"] });
  assert.equal((await ask(sandbox, `/reports/${report!.id}`)).status, 403);
  const { data, included } = await read(sandbox, `/inquiries/${sandbox.ids()[index]}?include=${INCLUDE}`);
  assert.deepEqual((data.relationships!.reports!.data as unknown[]).length, 1);
  assert.ok(included.length > 0 && !included.some(({ type }) => type.startsWith("report/")));
  assert.equal((await ask(sandbox, "/api-keys")).status, 403);
  sandbox.restrict({ permissions: ["inquiry.read", "api_key.read"], blocklist: ["name-*"] });
  const { data: keys } = await read(sandbox, "/api-keys");
  assert.deepEqual(keys[0]!.attributes["api-attributes-blocklist"], ["name-*"]);
  sandbox.restrict({ addressAllowed: false });
  const { errors } = await read(sandbox, "/inquiries");
  assert.equal(errors[0]!.details, "IP address is not permitted access to current environment");
});
