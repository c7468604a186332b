import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { exportClients } from "../../jobs/export.ts";
import { Tokens } from "../../src/record/tokens.ts";
import { session } from "../crash/aftermath.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { CLIENT, makeWorkplace, type Workplace } from "./workplace.ts";

interface Served {
  readonly resource: string;
  readonly id: string;
  readonly type?: string;
  readonly bytes: string;
}

/** The first identity has these files, all of one time. Counts the requests for them. */
function serve(sandbox: Sandbox, files: readonly Served[], which = 0): { count: number } {
  const [identity] = sandbox.ids().slice(which);
  const requests = { count: 0 };
  sandbox.intercept((request, response) => {
    const path = decodeURIComponent(request.url!.split("?")[0]!);
    if (path.endsWith(`/identity/${identity}/resources`)) {
      const data = files.map(({ resource, id, type = "document_image" }) => ({
        ...{ id: resource, status: "verified", type: "PASSPORT" },
        resource_files: [{ id, type, page: 1, created: 1_600_000_000, updated: 1_600_000_000 }],
      }));
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ data, cursor: { next: null } }));
      return true;
    }
    const found = files.findLast(({ resource, id }) =>
      path.endsWith(`/identity/${identity}/resources/${resource}/resource_files/${id}`),
    );
    if (!found) return false;
    requests.count += 1;
    response.writeHead(200, { "Content-Type": "image/png", "Content-Length": found.bytes.length }).end(found.bytes);
    return true;
  });
  return requests;
}

async function latest(place: Workplace, sandbox: Sandbox) {
  const entry = (await place.stored()).get(await place.subject(sandbox.ids()[0]!))!.at(-1)!;
  return { entry, record: await place.record(entry) };
}

const TWO: readonly Served[] = [
  { resource: "r1", id: "f1", bytes: "content of r1" },
  { resource: "r2", id: "f1", bytes: "content of r2, longer" },
];

test("two files of one id and time in two resources are two files, and a bag of them opens", async () => {
  await using sandbox = await startSandbox({ identities: 2, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  serve(sandbox, TWO);
  await place.export();
  const { entry, record } = await latest(place, sandbox);
  assert.equal(new Set(entry.files.map(({ key }) => key)).size, 2);
  for (const [at, { bytes }] of TWO.entries()) {
    const { key, sha256, size } = record.files[at]!;
    assert.equal((await place.unseal(key)).toString(), bytes);
    assert.deepEqual([size, sha256], [bytes.length, createHash("sha256").update(bytes).digest("hex")]);
  }
  await place.expect(0, "verify", "--read-data", "100");

  const request = ["--case", "2026-117", "--requested-by", "Ada Auditor", "--reason", "a suspicion"];
  const subjects = (await Promise.all(sandbox.ids().map((id) => place.subject(id)))).join("\n");
  const bag = place.path("bag");
  const people = sandbox.ids().flatMap((id) => ["--identity", id]);
  const made = await place.here("retrieve", [...request, "--out", bag, ...people]);
  assert.equal(made.code, 0, made.stderr);
  const out = place.path("opened");
  const opened = await place.here("open", [bag, "--key", place.officer.file, "--out", out]);
  assert.equal(opened.code, 0, opened.stderr);
  const folder = join(out, entry.subject, (await readdir(join(out, entry.subject)))[0]!);
  const names = (await readdir(folder)).filter((name) => name !== "record.json");
  const contents = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  assert.deepEqual(contents.sort(), TWO.map(({ bytes }) => bytes).sort());
  assert.equal((await readdir(out)).filter((name) => subjects.includes(name)).length, 2);
});

test("a line that the provider lists twice is one file, whatever is served for it", async () => {
  await using sandbox = await startSandbox({ identities: 1, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  const requests = serve(sandbox, [TWO[0]!, TWO[0]!, TWO[1]!]);
  assert.equal((await place.export()).files, 2);
  const { entry, record } = await latest(place, sandbox);
  assert.deepEqual([entry.files.length, record.files.length, requests.count], [2, 2, 2]);
});

/** As Holdfast named files at first: without their resource. */
async function exportAsBefore(place: Workplace): Promise<void> {
  const { file } = Tokens.prototype;
  Tokens.prototype.file = function (_resource, id, updated) {
    return this.formerFile(id, updated);
  };
  try {
    await exportClients(await session(place), {});
  } finally {
    Tokens.prototype.file = file;
  }
}

test("a file kept under its former name is neither fetched nor stored again", async () => {
  await using sandbox = await startSandbox({ identities: 1, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  const requests = serve(sandbox, TWO.slice(0, 1));
  await exportAsBefore(place);
  const before = (await latest(place, sandbox)).entry;
  sandbox.change([0], { files: false });
  assert.deepEqual([(await place.export()).files, requests.count], [0, 1]);
  const { entry, record } = await latest(place, sandbox);
  assert.deepEqual(
    entry.files.map(({ key, versionId, storedWith }) => [key, versionId, storedWith]),
    [[before.files[0]!.key, before.files[0]!.versionId, before.version]],
  );
  assert.equal(record.files[0]!.key, before.files[0]!.key);
  await place.expect(0, "verify", "--read-data", "100");
});

test("two files that share a former name take over neither: what lies there may be the other's", async () => {
  await using sandbox = await startSandbox({ identities: 1, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  serve(sandbox, TWO.slice(0, 1));
  await exportAsBefore(place);
  const former = (await latest(place, sandbox)).entry.files[0]!.key;
  sandbox.change([0], { files: false });
  const requests = serve(sandbox, TWO);
  assert.deepEqual([(await place.export()).files, requests.count], [2, 2]);
  const { record } = await latest(place, sandbox);
  for (const [at, { bytes }] of TWO.entries()) {
    assert.notEqual(record.files[at]!.key, former);
    assert.equal((await place.unseal(record.files[at]!.key)).toString(), bytes);
  }
  await place.expect(0, "verify", "--read-data", "100");
});

test("a file of another type is not taken for the one kept under its former name", async () => {
  await using sandbox = await startSandbox({ identities: 1, plainImages: true });
  await using place = await makeWorkplace(sandbox);
  serve(sandbox, TWO.slice(0, 1));
  await exportAsBefore(place);
  sandbox.change([0], { files: false });
  serve(sandbox, [{ ...TWO[1]!, type: "face_video" }]);
  assert.equal((await place.export()).files, 1);
  assert.equal((await place.unseal((await latest(place, sandbox)).record.files[0]!.key)).toString(), TWO[1]!.bytes);
  assert.ok((await readdir(place.path("vault", CLIENT, "files"))).length > 0);
});
