import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import Stripe from "stripe";
import { clockAt, reported } from "./ask.ts";
import { type StripeSandbox, startStripe } from "./server.ts";
import { VERSION } from "./wire.ts";

// The official client does not know this sandbox: what it understands, any client does.
const clock = clockAt();
let sandbox: StripeSandbox;
let client: Stripe;

before(async () => {
  sandbox = await startStripe({ identities: 230, plainImages: true, clock, repeats: 0 });
  const { hostname, port } = new URL(sandbox.url);
  client = new Stripe(sandbox.apiKey, { host: hostname, port: Number(port), protocol: "http", telemetry: false });
});
after(() => sandbox.close());

const SENSITIVE = ["document.number", "document.expiration_date", "document.dob"];

test("the version that the sandbox knows is the client's own", async () => {
  const { lastResponse } = await client.identity.verificationSessions.list();
  assert.equal(lastResponse.apiVersion, VERSION);
  assert.match(lastResponse.requestId, /^req_/);
});

test("list with auto-paging walks all sessions, newest first, each once", async () => {
  sandbox.requests.clear();
  const ids: string[] = [];
  for await (const { id } of client.identity.verificationSessions.list({ limit: 100 })) ids.push(id);
  assert.deepEqual(ids, sandbox.ids().reverse());
  assert.equal(sandbox.requests.of("sessions", 200), 3);
});

test("a list expands four names deep", async () => {
  const { data } = await client.identity.verificationSessions.list({
    limit: 100,
    status: "verified",
    expand: ["data.verified_outputs", "data.last_verification_report.document.number"],
  });
  assert.equal(data.length, 100);
  for (const { status, last_verification_report: report, verified_outputs: outputs } of data) {
    assert.equal(status, "verified");
    assert.ok(report !== null && typeof report === "object" && report.document!.number);
    assert.ok(outputs!.first_name);
  }
});

test("retrieve with expansions shows what they name, and nothing sensitive otherwise", async () => {
  const index = reported(sandbox, (i) => sandbox.session(i).status === "verified");
  const id = sandbox.ids()[index]!;
  const plain = await client.identity.verificationSessions.retrieve(id);
  assert.equal(plain.verified_outputs, undefined);
  assert.equal(typeof plain.last_verification_report, "string");
  const parent = await client.identity.verificationSessions.retrieve(id, { expand: ["verified_outputs"] });
  assert.equal(parent.verified_outputs!.dob, undefined);
  const expand = ["verified_outputs.dob", "last_verification_report", "verified_outputs.sex"];
  const full = await client.identity.verificationSessions.retrieve(id, {
    expand: [...expand, ...SENSITIVE.map((name) => `last_verification_report.${name}`)],
  });
  const { verified_outputs: outputs, last_verification_report: report } = sandbox.session(index);
  assert.deepEqual(full.verified_outputs!.dob, outputs!.dob);
  assert.ok(!("id_number" in full.verified_outputs!));
  assert.ok(report !== null && typeof report === "object");
  assert.equal((full.last_verification_report as typeof report).document!.number, report.document!.number);
});

test("reports of a session are all its attempts, the newest first", async () => {
  const index = reported(sandbox, (i) => sandbox.reports(i).length > 1);
  const { id, last_verification_report: last } = sandbox.session(index);
  const { data } = await client.identity.verificationReports.list({
    verification_session: id,
    expand: SENSITIVE.map((name) => `data.${name}`),
  });
  assert.deepEqual(
    data.map((report) => [report.id, report.document!.number]),
    sandbox
      .reports(index)
      .map((report) => [report.id, report.document!.number])
      .reverse(),
  );
  assert.equal(data[0]!.id, (last as { id: string }).id);
  const one = await client.identity.verificationReports.retrieve(data[1]!.id, { expand: ["document.number"] });
  assert.equal(one.document!.number, data[1]!.document!.number);
  assert.equal(one.document!.dob, undefined);
});

test("files and file links lead to the bytes", async () => {
  const index = reported(sandbox, (i) => Boolean(sandbox.reports(i)[0]!.selfie));
  const [{ document, selfie } = {} as never] = sandbox.reports(index);
  for (const id of [...document!.files!, selfie!.selfie!]) {
    const file = await client.files.retrieve(id);
    const bytes = await sandbox.file(id);
    assert.equal(file.size, bytes!.length);
    const headers = { Authorization: `Bearer ${sandbox.apiKey}` };
    assert.deepEqual(Buffer.from(await (await fetch(file.url!, { headers })).arrayBuffer()), bytes);
    const link = await client.fileLinks.create({ file: id, expires_at: Math.floor(clock.now / 1000) + 30 });
    assert.deepEqual(Buffer.from(await (await fetch(link.url!)).arrayBuffer()), bytes);
  }
  assert.deepEqual(sandbox.leaks, []);
});

test("events name who changed, by type and since a time", async () => {
  clock.now += 1_000;
  const since = Math.floor(clock.now / 1000);
  sandbox.change([3, 4]);
  sandbox.change([5], { part: "metadata" });
  const [added] = sandbox.add(1);
  const types: Stripe.EventListParams["types"] = [
    "verified",
    "requires_input",
    "processing",
    "canceled",
    "created",
  ].map((what) => `identity.verification_session.${what}`);
  const events = [];
  for await (const event of client.events.list({ types, created: { gte: since }, limit: 2 })) events.push(event);
  assert.deepEqual(
    events.map(({ data }) => (data.object as { id: string }).id),
    [added!, 4, 3].map((index) => sandbox.ids()[index]),
  );
  assert.ok(events.every(({ type }) => type.startsWith("identity.verification_session.")));
});

test("the account, and refusals as the client names them", async () => {
  const account = await client.accounts.retrieveCurrent();
  assert.equal(account.id, sandbox.account);
  await assert.rejects(
    client.identity.verificationSessions.retrieve("vs_none"),
    (error: unknown) => error instanceof Stripe.errors.StripeInvalidRequestError && error.code === "resource_missing",
  );
  await assert.rejects(
    client.identity.verificationSessions.redact(sandbox.ids()[0]!),
    (error: unknown) => error instanceof Stripe.errors.StripePermissionError,
  );
});
