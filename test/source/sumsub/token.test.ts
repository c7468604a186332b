import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Secret } from "../../../src/config/secret.ts";
import { HoldfastError } from "../../../src/core/error.ts";
import { authorization } from "../../../src/source/authentication.ts";
import { signedBy } from "../../../src/source/sumsub/signing.ts";
import { answering, full, open, someone } from "./connect.ts";

test("the signature is the documented one", () => {
  const headers = authorization(signedBy("sbx:token"), new Secret("sandbox-secret"), {
    ...{ method: "GET", path: "/resources/applicants/65a000000000000000000001/one", body: "" },
    now: Temporal.Instant.from("2026-01-01T00:00:00.999Z"),
  });
  assert.deepEqual(headers, {
    "x-app-token": "sbx:token",
    "x-app-access-ts": "1767225600",
    "x-app-access-sig": "8b3683fcb19bbaee7040fce19a35e29d2186d0a449e6030305416527ab26c304",
  });
});

test("each attempt is signed again, with its own time", async (t) => {
  const { sandbox, source, clock } = await open(t);
  const times: unknown[] = [];
  sandbox.intercept(({ headers }, response) => {
    times.push(headers["x-app-access-ts"]);
    if (times.length > 2) return false;
    // The first signature would be refused by now.
    clock.now += 120_000;
    response.writeHead(503).end();
    return true;
  });
  assert.equal((await source.dossier(sandbox.id(0), { full: false })).identity.id, sandbox.id(0));
  assert.equal(new Set(times).size, 3);
});

const refused = async (work: Promise<unknown>): Promise<HoldfastError> => {
  const error = await work.then(
    () => assert.fail("it is not refused"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HoldfastError && error.code === "source-key", inspect(error));
  return error;
};

test("a wrong secret and a wrong clock are told apart, and no message shows either", async (t) => {
  const { connect, clock, sandbox } = await open(t);
  const wrong = await refused(connect({ apiKey: new Secret("wrong-secret-key") }).project());
  assert.match(wrong.hint!, /the secret key that Sumsub showed with the app token/);
  assert.doesNotMatch(wrong.message, /clock/);
  const late = () => Temporal.Instant.fromEpochMilliseconds(clock.now - 300_000);
  const adrift = await refused(connect({ clock: late }).project());
  assert.match(adrift.message, /this machine's clock is 30\d s behind the provider's/);
  const shown = inspect([wrong, adrift], { depth: 10 });
  for (const secret of ["wrong-secret-key", sandbox.apiKey]) assert.ok(!shown.includes(secret));
});

test("the project says whether it is the sandbox by the token, and needs no right but to view applicants", async (t) => {
  const { sandbox, source, connect } = await open(t);
  const project = await source.project();
  assert.deepEqual([project.environment, project.id], ["sandbox", "sumsub 127.0.0.1 sandbox"]);
  answering(sandbox, "levels", 403);
  assert.deepEqual(await source.project(), project);
  sandbox.intercept((_, response) => response.writeHead(403).end("{}") && true);
  assert.match((await refused(source.project())).hint!, /View applicants/);
  assert.equal(sandbox.requests.of("other") + sandbox.requests.of("write"), 0);
  await assert.rejects(connect({ appToken: "prd:other" }).project(), { code: "source-key" });
});

test("people are found by the client's own reference", async (t) => {
  const { sandbox, source } = await open(t);
  assert.equal(await source.idOf(sandbox.reference(3)), sandbox.id(3));
  const paths = answering(sandbox, "none", 404);
  for (const unknown of ["CUST-9999999-XXXX", "a/b;c=d é?%"]) assert.equal(await source.idOf(unknown), undefined);
  assert.equal(paths[1], "/resources/applicants/-;externalUserId=a%2Fb%3Bc%3Dd%20%C3%A9%3F%25/one");
  for (const impossible of ["", "\ud800"]) assert.equal(await source.idOf(impossible), undefined);
  assert.equal(paths.length, 2);
  answering(sandbox, "applicants/externalUserId", JSON.stringify(sandbox.applicant(4)));
  await assert.rejects(source.idOf(sandbox.reference(3)), { code: "source-response" });
  answering(sandbox, "applicants/externalUserId", 403);
  await assert.rejects(source.idOf(sandbox.reference(3)), { code: "source-denied" });
});

test("doctor learns what the token may not do, and what it cannot find out", async (t) => {
  const { sandbox, source, connect } = await open(t);
  const outcomes = async (of = source) => (await of.checks()).map(({ outcome }) => outcome);
  assert.deepEqual(await outcomes(), ["ok", "ok", "unknown", "unknown"]);
  assert.match((await source.checks())[2]!.message, /COPY on images/);
  sandbox.setRights({ aml: false, recordings: false });
  const [recordings, aml, ...rest] = await source.checks();
  assert.match(recordings!.message, /may not ask GET \/resources\/videoIdent/);
  assert.match(aml!.hint!, /View AML screening.*aml: false/);
  assert.deepEqual(
    rest.map(({ outcome }) => outcome),
    ["unknown", "unknown"],
  );
  assert.match((await connect({ aml: false }).checks())[1]!.message, /not asked for/);
  // Every request of a dossier, and of files, is tried.
  const tried = Object.keys(sandbox.requests.toJSON()).map((key) => key.split(" ")[0]!);
  sandbox.requests.clear();
  await source.dossier(sandbox.id(0), full);
  for (const key of Object.keys(sandbox.requests.toJSON()))
    assert.ok(tried.includes(key.split(" ")[0]!), `${key} is not tried`);
});

test("doctor finds the watermark by an image of someone who is known: it has another size than was sent", async (t) => {
  const { sandbox, source } = await open(t);
  const { id } = someone(sandbox);
  const found = async () => (await source.checks(["0".repeat(24), id])).at(-2)!;
  assert.deepEqual(await found(), {
    outcome: "ok",
    message: "images have the size that was sent: no COPY on them",
  });
  sandbox.setRights({ watermark: true });
  const { outcome, message, hint } = await found();
  assert.equal(outcome, "warning");
  assert.match(message, /^an image has \d+ bytes, and \d+ were sent: Sumsub prints COPY on images/);
  assert.match(hint!, /Switch off "Image watermarks"/);
  assert.ok(!`${message}${hint}`.includes(id));
  // What cannot be looked at is neither.
  sandbox.setRights({ personal: false });
  assert.equal((await found()).outcome, "unknown");
  assert.equal((await source.checks([])).at(-2)!.outcome, "unknown");
});

test("a 404 that is not in Sumsub's own form says nothing about an applicant", async (t) => {
  const { sandbox, source } = await open(t);
  let body = "";
  sandbox.intercept((_, response) => {
    response.writeHead(404).end(body);
    return true;
  });
  for (body of ["", "<html>404 Not Found</html>", "{}", '{"status":404,"error":"Not Found"}']) {
    await assert.rejects(source.dossier(sandbox.id(0), { full: true }), { code: "source-response" });
    await assert.rejects(source.idOf("someone"), { code: "source-response" });
  }
  body = '{"description":"Applicant not found","code":404,"correlationId":"c"}';
  await assert.rejects(source.dossier(sandbox.id(0), { full: true }), { code: "source-missing" });
});

test("an answer that is not Sumsub's says nothing of a right: doctor could not check it", async (t) => {
  const { sandbox, connect } = await open(t);
  sandbox.intercept(({ url }, response) => {
    if (!url!.includes("/review/history") && !url!.includes("/amlCase")) return false;
    response.writeHead(404, { "Content-Type": "text/html" }).end("<html>Not here</html>");
    return true;
  });
  const checks = await connect().checks();
  const unclear = checks.filter(({ message }) => /not in Sumsub's own form/.test(message));
  assert.deepEqual(
    unclear.map(({ outcome }) => outcome),
    ["unknown", "unknown"],
  );
  assert.ok(!checks.some(({ outcome, message }) => outcome === "ok" && /refused nothing|may view AML/.test(message)));
});
