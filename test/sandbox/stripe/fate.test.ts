import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, clockAt, read, reported } from "./ask.ts";
import { startStripe } from "./server.ts";

const DAY = 86_400_000;

test("each answer of a session in requires_input has a fresh url and client_secret; others have neither", async () => {
  await using sandbox = await startStripe({ identities: 40 });
  const of = async (index: number) => {
    const { url, client_secret } = await read(sandbox, `/identity/verification_sessions/${sandbox.ids()[index]}`);
    return [url, client_secret];
  };
  const open = sandbox.ids().findIndex((_, i) => sandbox.session(i).status === "requires_input");
  const [first, second] = [await of(open), await of(open)];
  const canaries = sandbox.canaries([open]);
  for (const n of [0, 1]) {
    assert.notEqual(first[n], second[n]);
    assert.ok(canaries.some((canary) => String(first[n]).includes(canary)));
  }
  const done = sandbox.ids().findIndex((_, i) => sandbox.session(i).status === "verified");
  assert.deepEqual(await of(done), [null, null]);
});

test("a new attempt makes a report with files of its own; a metadata edit makes no event", async () => {
  const clock = clockAt();
  await using sandbox = await startStripe({ clock, plainImages: true });
  const index = reported(sandbox);
  const before = { session: sandbox.session(index), reports: sandbox.reports(index) };
  sandbox.change([index], { part: "metadata" });
  assert.deepEqual((await read(sandbox, "/events")).data, []);
  assert.notDeepEqual(sandbox.session(index).metadata, before.session.metadata);
  assert.deepEqual(sandbox.reports(index), before.reports);
  sandbox.change([index], { part: "attempt" });
  const reports = sandbox.reports(index);
  assert.equal(reports.length, before.reports.length + 1);
  const files = reports.flatMap(({ document }) => document!.files!);
  assert.equal(new Set(files).size, files.length);
  const [event] = (await read(sandbox, "/events")).data;
  assert.equal(event!.type, `identity.verification_session.${before.session.status}`);
  clock.now += 30 * DAY;
  assert.deepEqual((await read(sandbox, "/events")).data, []);
});

test("an event can come late", async () => {
  const clock = clockAt();
  await using sandbox = await startStripe({ clock, eventDelay: 5_000 });
  sandbox.change([1]);
  assert.equal((await read(sandbox, "/events")).data.length, 0);
  clock.now += 5_000;
  assert.equal((await read(sandbox, "/events")).data.length, 1);
});

test("a redaction has three stages, and only the last empties the session, reports, events and files", async () => {
  const clock = clockAt();
  await using sandbox = await startStripe({ clock, plainImages: true, repeats: 0 });
  const index = reported(sandbox, (i) => sandbox.session(i).status === "verified");
  sandbox.change([index], { part: "attempt" });
  const [file] = sandbox.reports(index)[0]!.document!.files!;
  const personal = sandbox
    .canaries([index])
    .filter((text) => !/^(vs|vr|file)_/.test(text) && text !== sandbox.session(index).client_reference_id);
  const held = async () => {
    const { data } = await read(sandbox, "/events");
    const text = JSON.stringify([data, sandbox.session(index), sandbox.reports(index)]);
    return personal.filter((canary) => text.includes(canary));
  };
  const stage = () => sandbox.session(index).redaction?.status;
  assert.equal(stage(), undefined);
  sandbox.redact([index]);
  assert.equal(stage(), "validated");
  clock.now += 2 * DAY;
  assert.equal(stage(), "processing");
  assert.ok((await held()).length > 2);
  assert.equal((await ask(sandbox, `/files/${file}`)).status, 200);
  clock.now += 2 * DAY;
  assert.equal(stage(), "redacted");
  assert.deepEqual(await held(), []);
  const { verified_outputs: outputs, status, metadata } = sandbox.session(index);
  assert.deepEqual([status, metadata, outputs!.first_name], ["verified", {}, "[redacted]"]);
  assert.deepEqual(outputs!.dob, { day: 1, month: 1, year: 1 });
  assert.equal((await ask(sandbox, `/files/${file}`)).status, 404);
  assert.equal((await ask(sandbox, `${sandbox.filesOrigin}/v1/files/${file}/contents`)).status, 404);
  assert.equal((await ask(sandbox, `/identity/verification_sessions/${sandbox.ids()[index]}`)).status, 200);
});

test("a session that is gone answers 404, and the others keep their place", async () => {
  await using sandbox = await startStripe();
  const ids = sandbox.ids();
  const path = "/identity/verification_sessions";
  sandbox.vanish([10]);
  const { error } = await read(sandbox, `${path}/${ids[10]}`);
  assert.equal(error.code, "resource_missing");
  const { data } = await read(sandbox, `${path}?limit=3&starting_after=${ids[10]}`);
  assert.deepEqual(
    data.map(({ id }) => id),
    [ids[9], ids[8], ids[7]],
  );
  const newer = await read(sandbox, `${path}?limit=2&ending_before=${ids[10]}`);
  assert.deepEqual(
    newer.data.map(({ id }) => id),
    [ids[12], ids[11]],
  );
});
