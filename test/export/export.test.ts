import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { SealedRecord } from "../../src/record/record.ts";
import { first } from "../sandbox/ask.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { identityAnswer, makeWorkplace, resourceAnswers, type Workplace } from "./workplace.ts";

/** Requests for anything but the list and the settings. */
function moved({ requests }: Sandbox): number {
  return requests.of("identity") + requests.of("resources") + requests.of("resource") + requests.of("file");
}

async function newest(place: Workplace, sandbox: Sandbox, index: number): Promise<SealedRecord> {
  const versions = (await place.stored()).get(await place.subject(sandbox.identity(index).id));
  return place.record(versions!.at(-1)!);
}

const byId = (one: { id: string }, other: { id: string }): number => (one.id < other.id ? -1 : 1);

test("the first run takes all, the second nothing, the third what changed", async (t) => {
  await using sandbox = await startSandbox({ identities: 15, pageSize: 4, plainImages: true });
  await using place = await makeWorkplace(sandbox);

  await t.test("everyone and every file, as the provider has them", async () => {
    sandbox.requests.clear();
    const summary = await place.export();
    const files = sandbox.ids().flatMap((_, index) => sandbox.resources(index).flatMap((r) => r.resource_files));
    assert.deepEqual(
      [summary.outcome, summary.examined, summary.new, summary.changed, summary.unchanged, summary.failed],
      ["done", 15, 15, 0, 0, 0],
    );
    assert.deepEqual([summary.files, summary.withheld], [files.length, 0]);
    // Those that ask only what time it is have no key.
    assert.equal(summary.requests, sandbox.requests.total - sandbox.requests.of(undefined, 401));

    const stored = await place.stored();
    assert.deepEqual(new Set(stored.keys()), new Set(await Promise.all(sandbox.ids().map((id) => place.subject(id)))));
    const index = first(sandbox, (i) => sandbox.resources(i).length > 1);
    const record = await newest(place, sandbox, index);
    assert.equal(identityAnswer(record), sandbox.text(index));
    assert.deepEqual(
      resourceAnswers(record).flatMap((text) => JSON.parse(text).data),
      sandbox.resources(index),
    );
    for (const { id, resource, key, size, sha256 } of record.files) {
      const bytes = await sandbox.file(index, resource, id);
      assert.deepEqual(await place.unseal(key), bytes);
      assert.deepEqual([size, sha256], [bytes.length, createHash("sha256").update(bytes).digest("hex")]);
    }
  });

  await t.test("nothing moves when nothing changed, and that is logged too", async () => {
    const before = (await place.entries()).length;
    sandbox.requests.clear();
    const summary = await place.export();
    assert.deepEqual([summary.unchanged, summary.new, summary.changed, summary.files], [15, 0, 0, 0]);
    assert.equal(moved(sandbox), 0);
    assert.equal(sandbox.requests.of("identities"), 1);
    const added = (await place.entries()).slice(before);
    assert.deepEqual(
      added.map(({ type, run }) => [type, run]),
      [
        ["run.started", summary.run],
        ["run.finished", summary.run],
      ],
    );
  });

  await t.test("what changed moves and nothing else; files kept before are named, not fetched again", async () => {
    const before = await place.stored();
    const changed = sandbox.change(5);
    sandbox.requests.clear();
    const summary = await place.export();
    assert.deepEqual([summary.changed, summary.unchanged, summary.new, summary.files], [5, 10, 0, 0]);
    assert.deepEqual([sandbox.requests.of("identity"), sandbox.requests.of("file")], [5, 0]);
    const after = await place.stored();
    for (const index of sandbox.ids().keys()) {
      const subject = await place.subject(sandbox.identity(index).id);
      assert.equal(after.get(subject)!.length, changed.includes(index) ? 2 : 1);
    }
    const index = changed.find((i) => sandbox.resources(i).some((r) => r.resource_files.length > 0))!;
    const [earlier] = before.get(await place.subject(sandbox.identity(index).id))!;
    const record = await newest(place, sandbox, index);
    assert.equal(identityAnswer(record), sandbox.text(index));
    assert.deepEqual(
      record.files.map(({ key, storedWith, sha256 }) => [key, storedWith, sha256]),
      (await place.record(earlier!)).files.map(({ key }) => [key, earlier!.version, null]),
    );
    // The version kept before is still what it was.
    assert.notEqual(identityAnswer(await place.record(earlier!)), identityAnswer(record));
  });

  await t.test("files captured again are fetched again, beside the earlier ones", async () => {
    const index = first(sandbox, (i) => sandbox.resources(i).length > 1);
    const before = await newest(place, sandbox, index);
    sandbox.change([index], { files: true });
    sandbox.requests.clear();
    const summary = await place.export();
    assert.deepEqual([summary.changed, summary.files], [1, before.files.length]);
    assert.equal(sandbox.requests.of("file"), before.files.length);
    const record = await newest(place, sandbox, index);
    assert.deepEqual(
      record.files.map(({ id }) => ({ id })).sort(byId),
      before.files.map(({ id }) => ({ id })).sort(byId),
    );
    for (const [position, { id, resource, key, storedWith }] of record.files.entries()) {
      assert.equal(storedWith, undefined);
      assert.notEqual(key, before.files[position]!.key);
      assert.deepEqual(await place.unseal(key), await sandbox.file(index, resource, id));
      assert.notDeepEqual(await place.unseal(before.files[position]!.key), await place.unseal(key));
    }
  });

  await t.test("new ones are taken, and in the end every byte is as the log says", async () => {
    sandbox.add(3);
    const summary = await place.export();
    assert.deepEqual([summary.new, summary.unchanged], [3, 15]);
    const [report] = await place.expect<{ problems: number; records: number }>(0, "verify", "--read-data", "100");
    assert.deepEqual([report!.problems, report!.records], [0, 15 + 5 + 1 + 3]);
  });
});

test("minimal: yes and no are all that is kept, and all that is asked for", async () => {
  await using sandbox = await startSandbox({ identities: 12, plainImages: true });
  await using place = await makeWorkplace(sandbox, {
    client: { collect: "minimal", legalBasis: undefined, minimal: { overAge: [18, 65] } },
  });
  const summary = await place.export();
  assert.deepEqual([summary.new, summary.files], [12, 0]);
  assert.equal(sandbox.requests.of("resources") + sandbox.requests.of("resource") + sandbox.requests.of("file"), 0);
  const answers = new Set<unknown>();
  for (const entry of await place.entries("record.stored")) {
    assert.deepEqual(entry.files, []);
    const { identity, raw, files, withheld, collect } = await place.record(entry);
    assert.deepEqual([raw, files, withheld, collect], [undefined, [], [], "minimal"]);
    assert.deepEqual(Object.keys(identity), ["verified", "over"]);
    assert.deepEqual(Object.keys((identity as { over: object }).over), ["18", "65"]);
    for (const answer of [identity.verified, ...Object.values((identity as { over: object }).over)]) {
      assert.ok(answer === null || typeof answer === "boolean");
      answers.add(answer);
    }
  }
  assert.ok(answers.has(true) && answers.has(false));
  assert.equal((await place.export()).unchanged, 12);
});
