import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Secret } from "../../../src/config/secret.ts";
import { open } from "./connect.ts";

test("the project is the integration, found by a request that needs the secret", async (t) => {
  const { sandbox, source } = await open(t);
  assert.deepEqual(await source.project(), {
    id: `veriff ${sandbox.integrationKey}`,
    name: `Veriff ${sandbox.integrationKey}`,
    environment: "unknown",
  });
  assert.equal(sandbox.requests.of("decision", 404), 1);
  assert.equal(sandbox.requests.total, 1);
});

test("a wrong secret and a wrong integration key are refused, and no message shows either", async (t) => {
  const { connect } = await open(t);
  for (const wrong of [{ apiKey: new Secret("a-wrong-secret") }, { integrationKey: "a-wrong-key" }]) {
    const error: unknown = await connect({ ...wrong, source: "loans" })
      .project()
      .catch((reason: unknown) => reason);
    assert.equal((error as { code: string }).code, "source-key");
    assert.match(
      (error as { hint: string }).hint,
      /apiKey and url of source loans: .*shared secret key of the integration/,
    );
    assert.doesNotMatch(inspect(error, { depth: 10 }), /a-wrong/);
  }
});

test("a wrong clock refuses nothing, since no signature has a time; with a wrong secret, the secret is blamed", async (t) => {
  const { connect, sandbox, clock } = await open(t);
  const late = { clock: () => Temporal.Instant.fromEpochMilliseconds(clock.now - 3_600_000) };
  sandbox.intercept((_, response) => {
    response.setHeader("date", new Date(clock.now).toUTCString());
    return false;
  });
  await connect(late).project();
  await assert.rejects(connect({ ...late, apiKey: new Secret("a-wrong-secret") }).project(), {
    code: "source-key",
    message: "GET /sessions/{id}/decision: the provider answered 401",
  });
});

test("an integration that answers null about any session is accepted, and one that answers with someone is not", async (t) => {
  const { sandbox, source } = await open(t, { signs: "none" });
  let verification: object | null = null;
  sandbox.intercept((_, response) => {
    response.writeHead(200).end(JSON.stringify({ status: "success", verification }));
    return true;
  });
  await source.project();
  verification = { id: sandbox.id(0), status: "approved" };
  await assert.rejects(source.project(), { code: "source-response" });
});

test("doctor's checks tell Veriff's API from a server that answers 404 to anything", async (t) => {
  const { sandbox, source } = await open(t);
  const [address, , unseen] = await source.checks();
  assert.equal(address!.outcome, "ok");
  assert.match(unseen!.message, /lists no sessions.*no videos/);
  assert.equal(sandbox.requests.of("decision", 401), 1);
  sandbox.intercept((_, response) => {
    response.writeHead(404).end("Not Found");
    return true;
  });
  const [wrong] = await source.checks();
  assert.equal(wrong!.outcome, "warning");
  assert.match(wrong!.hint!, /with \/v1/);
});

test("it lists no one and names no changes, and asks nothing to find that out", async (t) => {
  const { sandbox, source } = await open(t);
  for (const work of [source.pages(), source.changes()]) await assert.rejects(work.next(), { code: "internal" });
  assert.equal(sandbox.requests.total, 0);
});

test("a 404 that is not in Veriff's own form says nothing about a session, nor that the address is right; 410 says more", async (t) => {
  const { sandbox, source } = await open(t);
  let [status, body] = [404, ""];
  sandbox.intercept((_, response) => {
    response.writeHead(status).end(body);
    return true;
  });
  for (body of ["", "<html>404 Not Found</html>", "{}", '{"message":"no route"}', "x".repeat(100_000)]) {
    await assert.rejects(source.project(), { code: "source-response" });
    await assert.rejects(source.dossier(sandbox.id(0), { full: true }), { code: "source-response" });
    await assert.rejects(source.glance(sandbox.id(0)), { code: "source-response" });
  }
  body = '{"status":"fail","code":"1104","message":"Session not found"}';
  await source.project();
  await assert.rejects(source.dossier(sandbox.id(0), { full: true }), { code: "source-missing", gone: false });
  status = 410;
  await assert.rejects(source.dossier(sandbox.id(0), { full: true }), { code: "source-missing", gone: true });
});
