import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { first } from "../sandbox/ask.ts";
import { errorText } from "../sandbox/routes.ts";
import { sendJson } from "../sandbox/send.ts";
import { startSandbox } from "../sandbox/server.ts";
import { makeWorkplace, resourceAnswers, type Section } from "./workplace.ts";

test("files the provider withholds are recorded, and the export goes on", async () => {
  await using sandbox = await startSandbox({ identities: 12, plainImages: true, withhold: 30 });
  await using place = await makeWorkplace(sandbox);
  const summary = await place.export();
  assert.equal(summary.withheld, sandbox.requests.of("file", 403));
  assert.ok(summary.withheld > 0 && summary.files > 0);
  assert.equal(summary.new, 12);
  let withheld = 0;
  for (const entry of await place.entries("record.stored")) {
    const record = await place.record(entry);
    assert.equal(record.withheld.length, entry.withheld);
    assert.ok(record.withheld.every(({ reason }) => reason === "forbidden"));
    const listed = resourceAnswers(record)
      .flatMap((text) => JSON.parse(text).data)
      .flatMap((r) => r.resource_files);
    assert.deepEqual(
      [...record.files, ...record.withheld].map(({ id }) => id).sort(),
      listed.map(({ id }) => id).sort(),
    );
    withheld += entry.withheld;
  }
  assert.equal(withheld, summary.withheld);
});

test("a record that fails is logged, the others are done, and the next run heals it", async () => {
  await using sandbox = await startSandbox({ identities: 10, files: false });
  await using place = await makeWorkplace(sandbox);
  const [broken, named] = [sandbox.identity(3), sandbox.identity(4)];
  sandbox.intercept((request, response) => {
    if (!request.url!.endsWith(`/identities/${broken.id}`)) return false;
    response.writeHead(200, { "Content-Type": "application/json" }).end('{"owner":');
    return true;
  });
  const [summary] = await place.expect(3, "export");
  assert.deepEqual([summary!.outcome, summary!.new, summary!.failed], ["partial", 9, 1]);
  const subject = await place.subject(broken.id);
  const [failed, ...others] = await place.entries("record.failed");
  assert.deepEqual(others, []);
  assert.deepEqual([failed!.subject, failed!.code, failed!.run], [subject, "source-response", summary!.run]);
  const stored = await place.stored();
  assert.ok(stored.has(await place.subject(named.id)) && !stored.has(subject));
  await place.expect(0, "verify");

  sandbox.intercept(undefined);
  sandbox.requests.clear();
  const healed = await place.export();
  assert.deepEqual([healed.outcome, healed.new, healed.unchanged, healed.failed], ["done", 1, 9, 0]);
  assert.equal(sandbox.requests.of("identity"), 1);
  assert.ok((await place.stored()).has(subject));
});

test("a fault that passes is not a failure: cut files, 500, 429 and resets", async () => {
  await using sandbox = await startSandbox({
    ...{ identities: 10, plainImages: true, fail: 15, truncate: 15, retryAfter: 0 },
  });
  await using place = await makeWorkplace(sandbox);
  const summary = await place.export();
  assert.deepEqual([summary.new, summary.failed, summary.withheld], [10, 0, 0]);
  assert.ok(summary.retries > 0);
  for (const entry of await place.entries("record.stored")) {
    for (const { key, size } of (await place.record(entry)).files) {
      assert.equal((await place.unseal(key)).length, size);
    }
  }
  await place.expect(0, "verify", "--read-data", "100");
});

test("one client's wrong key does not keep the others from their export", async () => {
  await using sandbox = await startSandbox({ identities: 5, files: false });
  await using place = await makeWorkplace(sandbox, { init: false });
  await writeFile(place.path("keys/wrong"), "no-such-key");
  await place.addClient("other-bank", { source: { apiKey: "file:./keys/wrong" } });
  // The one that fails comes first.
  place.config.clients.reverse();
  await place.configure();
  await place.expect(0, "init");
  const ended = await place.here("export", ["--json"]);
  assert.equal(ended.code, 1);
  const { clients, failures } = ended.json as { clients: Section[]; failures: Section[] };
  assert.deepEqual(
    clients.map(({ client, new: fresh }) => [client, fresh]),
    [["acme-bank", 5]],
  );
  assert.deepEqual(
    failures.map(({ client, code }) => [client, code]),
    [["other-bank", "source-key"]],
  );
  assert.ok(!(ended.stdout + ended.stderr).includes("no-such-key"));
  assert.equal((await place.stored("acme-bank")).size, 5);
  assert.deepEqual(
    (await place.entries("run.finished", "other-bank")).map(({ outcome }) => outcome),
    ["failed"],
  );
  // Alone, each fares as before.
  await place.expect(0, "export", "--client", "acme-bank");
  assert.equal((await place.here("export", ["--client", "other-bank"])).code, 1);
});

test("when every record fails it is not the records: the run ends, and says why", async () => {
  await using sandbox = await startSandbox({ identities: 560, files: false });
  await using place = await makeWorkplace(sandbox);
  sandbox.intercept((request, response) => {
    if (!/\/identities\/[^/]+$/.test(request.url!)) return false;
    response.writeHead(200, { "Content-Type": "application/json" }).end("<html>");
    return true;
  });
  const ended = await place.here("export", ["--json"]);
  assert.equal(ended.code, 1);
  assert.deepEqual(
    (ended.json as { failures: Section[] }).failures.map(({ code }) => code),
    ["source-response"],
  );
  assert.ok((await place.entries("record.failed")).length < 560);
  sandbox.intercept(undefined);
  assert.equal((await place.export()).new, 560);
});

const NO_ONE = "00000000-0000-4000-8000-000000000000";

test("--identity of no one: code 2, plain words, and no entry in the log; of someone who is gone, another message", async () => {
  await using sandbox = await startSandbox({ identities: 2, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const before = (await place.entries()).length;
  const typo = await place.here("export", ["--identity", NO_ONE], { isTerminal: true });
  assert.equal(typo.code, 2, typo.stderr);
  assert.match(typo.stderr, /^the provider has no such identity\n {2}→ Check the id/m);
  assert.equal((await place.entries()).length, before);

  const both = await place.here("export", ["--identity", sandbox.ids()[0]!, "--identity", NO_ONE], {
    isTerminal: true,
  });
  assert.equal(both.code, 2, both.stderr);
  assert.match(both.stderr, /no such identity \(the number 2 named\); the others were exported/);

  const [id] = sandbox.ids();
  sandbox.intercept((request, response) => {
    if (!request.url!.endsWith(`/identities/${id}`)) return false;
    sendJson(response, 404, errorText(404, "not found"));
    return true;
  });
  const gone = await place.here("export", ["--identity", id!], { isTerminal: true });
  assert.equal(gone.code, 0, gone.stderr);
  assert.match(gone.stderr, /the provider no longer has this identity; the copy in the vault stays/);
  assert.equal((await place.entries("record.gone")).length, 1);
});

test("--identity: known, unchanged, unknown, and two of them", async () => {
  await using sandbox = await startSandbox({ identities: 6, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  const [a, b, c] = sandbox.ids();
  const two = await place.export("--identity", a!, "--identity", b!, "--identity", a!);
  assert.deepEqual([two.examined, two.new], [2, 2]);
  assert.equal(sandbox.requests.of("identities"), 0);
  assert.deepEqual(new Set((await place.stored()).keys()), new Set([await place.subject(a!), await place.subject(b!)]));
  const same = await place.export("--identity", a!);
  assert.deepEqual([same.unchanged, same.files], [1, 0]);
  sandbox.change([first(sandbox, (i) => sandbox.identity(i).id === a)]);
  assert.equal((await place.export("--identity", a!)).changed, 1);

  // A typo leaves no entry, and the other named people are exported.
  const [unknown] = await place.expect(2, "export", "--identity", NO_ONE, "--identity", c!);
  assert.deepEqual([unknown!.failed, unknown!.new, unknown!.gone, unknown!.unknown], [0, 1, 0, [1]]);
  assert.deepEqual(await place.entries("record.gone"), []);
  assert.deepEqual(await place.entries("record.failed"), []);
  assert.equal((await place.entries("run.finished")).at(-1)!.outcome, "done");
  // What was exported by name is not new to the walk.
  const walk = await place.export();
  assert.deepEqual([walk.new, walk.unchanged + walk.changed], [3, 3]);
  await place.addClient("other-bank");
  assert.equal((await place.here("export", ["--identity", a!])).code, 2);
});

test("an identity that the list garbles fails, the others are done, and no one is called gone for it", async () => {
  await using sandbox = await startSandbox({ identities: 6, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const list = sandbox.ids().map((_id, index) => sandbox.text(index));
  sandbox.intercept((request, response) => {
    if (!request.url!.includes("/identities?")) return false;
    const data = [`{"id":null}`, ...list.slice(1)].join();
    response.writeHead(200, { "Content-Type": "application/json" }).end(`{"cursor":{"next":null},"data":[${data}]}`);
    return true;
  });
  for (let night = 0; night < 3; night++) {
    const [summary] = await place.expect(3, "export");
    assert.deepEqual([summary!.outcome, summary!.unchanged, summary!.failed, summary!.gone], ["partial", 5, 1, 0]);
  }
  assert.deepEqual(await place.entries("record.gone"), []);
  sandbox.intercept(undefined);
  assert.deepEqual((await place.export()).unchanged, 6);
});
