import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, clockAt, finished, read, related } from "./ask.ts";
import { type Persona, startPersona } from "./server.ts";

const ofType = (sandbox: Persona, index: number, name: string, type: string) =>
  sandbox.object(related(sandbox, index, name).find((reference) => reference.type === type)!.id)!;

test("a status or a field moves the inquiry's updated-at; checks, a report and the account do not", async () => {
  const clock = clockAt();
  await using sandbox = await startPersona({ plainImages: true, clock });
  const index = finished(sandbox, (i) => sandbox.inquiry(i).attributes.status === "approved");
  const inquiry = () => sandbox.inquiry(index);
  const account = () => sandbox.object((inquiry().relationships!.account!.data as { id: string }).id)!;
  const report = () => ofType(sandbox, index, "reports", "report/watchlist");
  const checks = () => ofType(sandbox, index, "verifications", "verification/government-id").attributes.checks;
  const before = { inquiry: inquiry(), account: account(), report: report(), checks: checks() };
  for (const part of ["checks", "report", "account"] as const) sandbox.change([index], { part });
  assert.deepEqual(inquiry(), before.inquiry);
  assert.notDeepEqual(checks(), before.checks);
  assert.notEqual(report().attributes["has-match"], before.report.attributes["has-match"]);
  assert.notDeepEqual(account().attributes.fields, before.account.attributes.fields);
  assert.notEqual(account().attributes["updated-at"], before.account.attributes["updated-at"]);
  assert.deepEqual(sandbox.change([index], { part: "field" }), [index]);
  assert.equal(inquiry().attributes["updated-at"], new Date(clock.now).toISOString());
  assert.equal(inquiry().attributes.status, "approved");
  sandbox.change([index]);
  assert.equal(inquiry().attributes.status, "declined");
});

test("a redaction empties the inquiry at once, and what hangs on it when the clock is there", async () => {
  const clock = clockAt();
  await using sandbox = await startPersona({ plainImages: true, clock, redactDelay: 7_200_000, repeats: 0 });
  const index = finished(sandbox, (i) => sandbox.inquiry(i).attributes["reference-id"] !== null);
  const before = sandbox.inquiry(index);
  const names = ["documents", "verifications", "reports", "sessions", "selfies"];
  const children = () => names.flatMap((name) => related(sandbox, index, name)).map(({ id }) => sandbox.object(id)!);
  const personal = sandbox.canaries([index]).filter((text) => !/_?[1-9A-Za-z]{24}$/.test(text));
  const held = (value: unknown) => personal.filter((text) => JSON.stringify(value).includes(text));
  const photo = ofType(sandbox, index, "documents", "document/government-id").attributes["front-photo"];
  const { url } = photo as { url: string };
  sandbox.redact([index]);
  const after = sandbox.inquiry(index);
  assert.equal(after.attributes["redacted-at"], new Date(clock.now).toISOString());
  assert.equal(after.attributes.status, before.attributes.status);
  assert.equal(after.attributes["reference-id"], before.attributes["reference-id"]);
  const fields = Object.values(after.attributes.fields as Record<string, { value: unknown }>);
  assert.deepEqual(new Set(fields.map(({ value }) => value)), new Set([null]));
  assert.ok(held(children()).length > 3);
  assert.equal((await fetch(url)).status, 200);
  const events = async () => (await read(sandbox, "/events?filter[name]=inquiry.redacted")).data;
  assert.deepEqual(await events(), []);
  clock.now += 7_200_000;
  assert.deepEqual(held(children()), []);
  assert.equal((await fetch(url)).status, 404);
  assert.equal((await events())[0]!.attributes["created-at"], new Date(clock.now).toISOString());
  assert.equal((await ask(sandbox, `/inquiries/${sandbox.ids()[index]}`)).status, 200);
  sandbox.redact([index], { account: true });
  assert.equal(sandbox.inquiry(index).attributes["reference-id"], null);
});

test("a deleted inquiry answers 404, and so does what hangs on it", async () => {
  await using sandbox = await startPersona();
  const index = finished(sandbox);
  const id = sandbox.ids()[index]!;
  const [document] = related(sandbox, index, "documents");
  sandbox.vanish([index]);
  for (const path of [`/inquiries/${id}`, `/documents/${document!.id}`]) {
    const response = await ask(sandbox, path);
    assert.equal(response.status, 404);
    assert.deepEqual(await response.json(), { errors: [{ title: "Record not found" }] });
  }
  assert.ok(!sandbox.ids().includes(id));
});

test("events of thirty days come newest first, with the object as it was", async () => {
  const clock = clockAt();
  await using sandbox = await startPersona({ clock });
  sandbox.change([1]);
  const object = sandbox.inquiry(1);
  clock.now += 1_000;
  sandbox.change([1], { part: "field" });
  const path = `/events?filter[object-id]=${sandbox.ids()[1]}`;
  const { data } = await read(sandbox, path);
  assert.equal(data.length, 2);
  assert.deepEqual((data[1]!.attributes.payload as { data: unknown }).data, object);
  clock.now += 30 * 86_400_000;
  assert.deepEqual((await read(sandbox, path)).data, []);
});
