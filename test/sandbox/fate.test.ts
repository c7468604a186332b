import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, filePath, first } from "./ask.ts";
import { type Sandbox, startSandbox } from "./server.ts";

const approved = (sandbox: Sandbox) => first(sandbox, (i) => sandbox.identity(i).status === "approved");

test("a change moves updated, and the status or a data point; no other identity changes", async () => {
  await using sandbox = await startSandbox({ identities: 30 });
  const index = approved(sandbox);
  const texts = sandbox.ids().map((_, i) => sandbox.text(i));
  const before = sandbox.identity(index);
  assert.deepEqual(sandbox.change([index]), [index]);
  const once = sandbox.identity(index);
  assert.equal(once.status, "declined");
  assert.ok(once.updated > before.updated);
  assert.equal(once.created, before.created);
  assert.deepEqual(once.resources, before.resources);
  sandbox.change([index]);
  const twice = sandbox.identity(index);
  assert.equal(twice.status, "declined");
  assert.ok(twice.updated > once.updated);
  assert.notDeepEqual(twice.resources, once.resources);
  const others = sandbox.ids().filter((_, i) => i !== index && sandbox.text(i) !== texts[i]);
  assert.deepEqual(others, []);
});

test("change(n) picks n different identities, the same ones in every run", async () => {
  await using one = await startSandbox({ identities: 200 });
  await using two = await startSandbox({ identities: 200 });
  const chosen = one.change(60);
  assert.equal(new Set(chosen).size, 60);
  assert.deepEqual(two.change(60), chosen);
  assert.equal(one.change(200).length, 200);
  assert.throws(() => one.change(201), RangeError);
});

test("files stay the same unless they are captured again", async () => {
  await using sandbox = await startSandbox();
  const index = approved(sandbox);
  const [path, video] = [filePath(sandbox, index), filePath(sandbox, index, "face_video")];
  const [files, bytes, clip] = [
    sandbox.resources(index).map((resource) => resource.resource_files),
    await (await ask(sandbox, path)).bytes(),
    await (await ask(sandbox, video)).bytes(),
  ];
  sandbox.change([index]);
  assert.deepEqual(
    sandbox.resources(index).map((resource) => resource.resource_files),
    files,
  );
  assert.deepEqual(await (await ask(sandbox, path)).bytes(), bytes);
  sandbox.change([index], { files: true });
  const again = sandbox.resources(index)[0]!.resource_files[0]!;
  assert.equal(again.id, files[0]![0]!.id);
  assert.ok(again.updated > files[0]![0]!.updated);
  assert.notDeepEqual(await (await ask(sandbox, path)).bytes(), bytes);
  assert.notDeepEqual(await (await ask(sandbox, video)).bytes(), clip);
});

test("an identity without documents gets them as its status advances", async () => {
  await using sandbox = await startSandbox({ identities: 100 });
  const index = first(sandbox, (i) => sandbox.identity(i).status === "processing");
  assert.deepEqual(sandbox.resources(index), []);
  sandbox.change([index]);
  assert.equal(sandbox.identity(index).status, "pending");
  assert.equal((await ask(sandbox, filePath(sandbox, index))).status, 200);
});

test("a deleted identity is neither listed nor found, and the others keep their ids", async () => {
  await using sandbox = await startSandbox({ identities: 10 });
  const ids = sandbox.ids();
  const path = filePath(sandbox, 0);
  sandbox.vanish([0, 9]);
  assert.deepEqual(sandbox.ids(), ids.slice(1, 9));
  for (const gone of [`/identities/${ids[0]}`, `/identity/${ids[0]}/resources`, path]) {
    assert.equal((await ask(sandbox, gone)).status, 404);
  }
  const added = sandbox.add(2);
  assert.deepEqual(added, [10, 11]);
  assert.deepEqual(sandbox.ids().slice(0, 8), ids.slice(1, 9));
  assert.equal(sandbox.ids().length, 10);
});

test("a redacted identity is still listed, with no personal data left", async () => {
  await using sandbox = await startSandbox();
  const index = approved(sandbox);
  const before = sandbox.identity(index);
  const path = filePath(sandbox, index);
  const ids = new Set([before.id, ...sandbox.resources(index).map(({ id }) => id)]);
  const personal = sandbox.canaries([index]).filter((text) => !ids.has(text));
  const held = (text: string) => personal.filter((canary) => text.includes(canary));
  assert.ok(held(sandbox.text(index)).length > 3);
  sandbox.redact([index]);
  const after = sandbox.identity(index);
  assert.equal(after.status, before.status);
  assert.ok(after.updated > before.updated);
  assert.deepEqual(after.owner, { email: null, first_name: null, last_name: null });
  assert.deepEqual(held(sandbox.text(index)), []);
  assert.deepEqual(held(JSON.stringify(sandbox.resources(index))), []);
  assert.equal((await ask(sandbox, path)).status, 404);
});

test("canaries cover everything personal in the answers, and the key", async () => {
  await using sandbox = await startSandbox();
  const canaries = new Set(sandbox.canaries());
  assert.ok(canaries.has(sandbox.apiKey));
  for (let i = 0; i < 20; i++) {
    const { id, owner, metadata, network, resources } = sandbox.identity(i);
    const texts = [id, owner?.email, metadata?.customer_id, network?.ip_address];
    for (const { datapoints } of resources ?? []) {
      texts.push(datapoints.document_number, ...String(datapoints.raw_mrz_string ?? "").split("\n"));
    }
    for (const file of sandbox.resources(i).flatMap((resource) => resource.resource_files)) texts.push(file.id);
    for (const text of texts) if (text) assert.ok(canaries.has(String(text)), String(text));
  }
});
