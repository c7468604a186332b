import assert from "node:assert/strict";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { first } from "../sandbox/ask.ts";
import { startSandbox } from "../sandbox/server.ts";
import { identityAnswer, makeWorkplace } from "./workplace.ts";

test("an identity that is no longer listed is logged as gone after two complete walks, and the copy stays", async () => {
  await using sandbox = await startSandbox({ identities: 8, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const { id } = sandbox.identity(2);
  const text = sandbox.text(2);
  const subject = await place.subject(id);
  sandbox.vanish([2]);

  assert.equal((await place.export()).gone, 0);
  assert.deepEqual(await place.entries("record.gone"), []);
  assert.equal((await place.export()).gone, 1);
  const [kept] = (await place.stored()).get(subject)!;
  const gone = await place.entries("record.gone");
  assert.deepEqual(
    gone.map((entry) => [entry.subject, entry.reason, entry.kept]),
    [[subject, "unlisted", kept!.version]],
  );
  // Said once, not every night.
  assert.equal((await place.export()).gone, 0);
  assert.equal((await place.entries("record.gone")).length, 1);
  assert.equal(identityAnswer(await place.record(kept!)), text);
  await place.expect(0, "verify", "--read-data", "100");
});

test("a walk that was cut short proves nothing", async () => {
  await using sandbox = await startSandbox({ identities: 8, pageSize: 500, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  sandbox.vanish([2]);
  sandbox.intercept((request, response) => {
    if (!request.url!.includes("/identities?")) return false;
    response.writeHead(403).end("{}");
    return true;
  });
  for (let walk = 0; walk < 2; walk++) assert.equal((await place.here("export")).code, 1);
  sandbox.intercept(undefined);
  assert.equal((await place.export()).gone, 0);
  assert.deepEqual(await place.entries("record.gone"), []);
});

test("listed and then not found: a failure, and gone a night later; one never kept stays a failure while it is listed", async () => {
  await using sandbox = await startSandbox({ identities: 6, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const [changed] = sandbox.change([1]);
  const [added] = sandbox.add(1);
  const gone = [changed!, added!].map((index) => sandbox.identity(index).id);
  let now = Temporal.Now.instant();
  sandbox.intercept((request, response) => {
    response.setHeader("Date", new Date(now.epochMilliseconds).toUTCString());
    if (!gone.some((id) => request.url!.endsWith(`/identities/${id}`))) return false;
    response.writeHead(404).end("{}");
    return true;
  });
  const counts = async (hours: number) => {
    now = Temporal.Now.instant().add({ hours });
    const ended = await place.here("export", ["--json"], { now: () => now });
    const [summary] = (ended.json as { clients: Summary[] }).clients;
    return [ended.code, summary!.gone, summary!.failed];
  };
  assert.deepEqual(await counts(0), [3, 0, 2]);
  assert.deepEqual(await place.entries("record.gone"), []);
  assert.deepEqual(await counts(7), [3, 1, 1]);
  const stored = await place.stored();
  const subject = await place.subject(gone[0]!);
  assert.deepEqual(
    (await place.entries("record.gone")).map((entry) => [entry.subject, entry.reason, entry.kept]),
    [[subject, "deleted", stored.get(subject)![0]!.version]],
  );
  // It is back, and as it never was kept.
  sandbox.intercept(undefined);
  const back = await place.export();
  assert.deepEqual([back.changed, back.new, back.gone], [1, 1, 0]);
});

test("a redaction is logged and never replaces the copy; who comes back is kept again", async () => {
  const options = { identities: 8, plainImages: true };
  await using sandbox = await startSandbox(options);
  // The same people at another address: where no one was redacted.
  await using before = await startSandbox(options);
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const index = first(sandbox, (i) => sandbox.resources(i).length > 0 && sandbox.identity(i).owner !== null);
  const { id } = sandbox.identity(index);
  const text = sandbox.text(index);
  const subject = await place.subject(id);

  sandbox.redact([index]);
  const summary = await place.export();
  assert.deepEqual([summary.gone, summary.changed, summary.failed], [1, 0, 0]);
  const versions = (await place.stored()).get(subject)!;
  assert.equal(versions.length, 1);
  const [gone, ...others] = await place.entries("record.gone");
  assert.deepEqual(others, []);
  assert.deepEqual([gone!.subject, gone!.reason, gone!.kept], [subject, "redacted", versions[0]!.version]);
  assert.ok(gone!.redacted && gone!.redacted !== versions[0]!.version);
  const record = await place.record(versions[0]!);
  assert.equal(identityAnswer(record), text);
  for (const { key } of record.files) assert.ok((await place.unseal(key)).length > 0);

  const again = await place.export();
  assert.deepEqual([again.gone, again.unchanged], [0, 8]);
  assert.equal((await place.entries("record.gone")).length, 1);

  await place.configure({ source: { url: before.url } });
  const same = await place.export();
  // The log says that they are back: with the same record once more, and none of the files.
  assert.deepEqual([same.unchanged, same.changed, same.files], [7, 1, 0]);
  const next = await place.export();
  assert.deepEqual([next.unchanged, next.changed], [8, 0]);
  before.change([index]);
  const changed = await place.export();
  assert.deepEqual([changed.changed, changed.gone], [1, 0]);
  const [, second, third] = (await place.stored()).get(subject)!;
  assert.equal(second!.version, versions[0]!.version);
  assert.equal(identityAnswer(await place.record(third!)), before.text(index));
  await place.expect(0, "verify", "--read-data", "100");
});
