import assert from "node:assert/strict";
import { test } from "node:test";
import type { Identity } from "../../src/core/identity.ts";
import type { Summary } from "../../src/export/summary.ts";
import type { Coverage } from "../../src/report/coverage.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { CLIENT, makeWorkplace } from "./workplace.ts";

/** Identities of which these members are otherwise, in the list and alone; undefined takes a member away. */
function alter(sandbox: Sandbox, changes: Readonly<Record<number, Readonly<Record<string, unknown>>>>): void {
  const text = (index: number) =>
    changes[index] ? JSON.stringify({ ...sandbox.identity(index), ...changes[index] }) : sandbox.text(index);
  const listed = new Set(sandbox.ids());
  const indexes = Array.from({ length: 8 }, (_, index) => index).filter((index) =>
    listed.has(sandbox.identity(index).id),
  );
  sandbox.intercept((request, response) => {
    const { pathname } = new URL(request.url!, sandbox.origin);
    const index = indexes.find((at) => pathname.endsWith(`/identities/${sandbox.identity(at).id}`)) ?? -1;
    const isList = pathname.endsWith("/identities");
    if (!isList && !changes[index]) return false;
    const body = isList ? `{"cursor":{"next":""},"data":[${indexes.map(text).join()}]}` : text(index);
    response.writeHead(200, { "Content-Type": "application/json" }).end(body);
    return true;
  });
}

test("a `created` that cannot be read loses no one; an `updated` that cannot is that subject's failure, by name", async () => {
  await using sandbox = await startSandbox({ identities: 8, files: false });
  await using place = await makeWorkplace(sandbox);
  const bad = {
    4: { updated: -630_720_000 },
    5: { updated: "2024-01-01T00:00:00Z" },
    6: { updated: 1_700_000_000_000 },
  };
  alter(sandbox, { 1: { created: -630_720_000 }, 2: { created: 1e15 }, 3: { created: "yesterday" }, ...bad });
  const ended = await place.here("export", ["--json"]);
  assert.equal(ended.code, 3, ended.stderr);
  const [summary] = (ended.json as { clients: Summary[] }).clients;
  assert.deepEqual([summary!.examined, summary!.new, summary!.failed], [8, 5, 3]);

  const subjects = await Promise.all([4, 5, 6].map((index) => place.subject(sandbox.identity(index).id)));
  const failed = await place.entries("record.failed");
  assert.deepEqual(
    failed.map(({ subject, stage, code }) => [subject, stage, code]).sort(),
    subjects.map((subject) => [subject, "source", "source-response"]).sort(),
  );
  for (const subject of subjects)
    assert.ok(
      ended.log.some((line) => line.msg === "record failed" && line.subject === subject),
      subject,
    );
  const coverage = await place.here("reconcile", ["--json"]);
  assert.equal(coverage.code, 3, coverage.stderr);
  const [told] = (coverage.json as { clients: Coverage[] }).clients;
  assert.deepEqual(told!.source, { name: "passbase", listed: 8, unreadable: 0 });
  assert.deepEqual([...told!.missing.subjects].sort(), [...subjects].sort());
  assert.deepEqual([...told!.failed.subjects].sort(), [...subjects].sort());
  assert.deepEqual(told!.failed.codes, { "source-response": 3 });

  const [entry] = (await place.stored()).get(await place.subject(sandbox.identity(1).id))!;
  assert.equal(((await place.record(entry!)).identity as Identity).created, null);

  // Once the provider fixes it, they are stored, and nothing is missing.
  sandbox.intercept(undefined);
  assert.equal((await place.export()).new, 3);
  await place.expect(0, "reconcile");
});

test("a person with an unreadable entry counts as met, and other people who are gone are still logged as gone", async () => {
  await using sandbox = await startSandbox({ identities: 5, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const [broken, left] = [sandbox.identity(1).id, sandbox.identity(3).id];
  sandbox.vanish([3]);
  alter(sandbox, { 1: { updated: "unknown" } });
  for (let night = 0; night < 3; night++) await place.expect(3, "export");
  const gone = await place.entries("record.gone");
  assert.deepEqual(
    gone.map(({ subject }) => subject),
    [await place.subject(left)],
  );
  const [told] = await place.expect<Coverage>(3, "reconcile");
  assert.deepEqual(told!.changed.subjects, [await place.subject(broken)]);
});

test("an entry without an id is counted, and says nothing of whom the walk missed", async () => {
  await using sandbox = await startSandbox({ identities: 5, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  sandbox.vanish([3]);
  alter(sandbox, { 1: { id: undefined }, 2: { id: 5 } });
  for (let night = 0; night < 3; night++) {
    const ended = await place.here("export", ["--json"]);
    assert.equal(ended.code, 3, ended.stderr);
    const line = ended.log.find(({ msg }) => String(msg).includes("have no readable id"));
    assert.deepEqual([line?.count, line?.client], [2, CLIENT]);
  }
  assert.deepEqual(await place.entries("record.gone"), []);
  const [told] = await place.expect<Coverage>(3, "reconcile");
  assert.deepEqual(told!.source, { name: "passbase", listed: 2, unreadable: 2 });
});

test("an entry that only the list breaks is fetched and kept, once", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  const { id } = sandbox.identity(1);
  sandbox.intercept((request, response) => {
    if (!new URL(request.url!, sandbox.origin).pathname.endsWith("/identities")) return false;
    const all = sandbox.ids().map((_, at) => sandbox.text(at));
    all[1] = `{"id":"${id}","metadata":[${"{},".repeat(50_000)}{}]}`;
    response.writeHead(200).end(`{"data":[${all.join()}]}`);
    return true;
  });
  assert.equal((await place.export()).new, 3);
  assert.equal((await place.export()).unchanged, 3);
  assert.equal((await place.stored()).get(await place.subject(id))?.length, 1);
  await place.expect(0, "reconcile");
});
