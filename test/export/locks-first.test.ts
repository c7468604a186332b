import assert from "node:assert/strict";
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ExportSummary } from "../../src/session/export-summary.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { CLIENT, makeWorkplace, type Section, type Workplace } from "./workplace.ts";

const FIRST = { initialLock: "PT1H", extendWhenLessThan: "PT30M" };
/** With these everything that FIRST locked is due, and nothing once it was extended. */
const LONGER = { initialLock: "PT2H", extendWhenLessThan: "PT90M" };

/** Minutes that each object's lock has left, as the vault's folder says. */
async function minutesLeft(place: Workplace): Promise<number[]> {
  const folder = place.path("vault", CLIENT, ".versions", "records");
  const notes = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".json"));
  return Promise.all(
    notes.map(async (name) => {
      const { lock } = JSON.parse(await readFile(join(folder, name), "utf8")) as { lock: { until: string } };
      return Temporal.Instant.from(lock.until).since(Temporal.Now.instant()).total("minutes");
    }),
  );
}

/** Three people are kept, and all their locks are due. */
async function due(sandbox: Sandbox): Promise<Workplace> {
  const place = await makeWorkplace(sandbox, { client: { retention: FIRST } });
  await place.export();
  await place.configure({ retention: LONGER });
  assert.ok((await minutesLeft(place)).every((minutes) => minutes < 61));
  return place;
}

async function extendedNow(place: Workplace): Promise<void> {
  const left = await minutesLeft(place);
  assert.equal(left.length, 3);
  for (const minutes of left) assert.ok(minutes > 110, String(minutes));
}

test("locks are extended before the first request to the provider, even if it never answers and the process is killed", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await due(sandbox);
  const asked = Promise.withResolvers<void>();
  sandbox.intercept((request) => {
    // What asks only for the time has no key, and is not waited for long.
    if (request.headers["x-api-key"] !== undefined) asked.resolve();
    return true;
  });
  const running = place.start("export");
  await asked.promise;
  await extendedNow(place);
  running.kill("SIGKILL");
  await running.ended;
});

test("the provider refuses the key: the locks are extended, both are told, and the exit code is the export's", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await due(sandbox);
  sandbox.intercept((_, response) => {
    response.writeHead(401).end();
    return true;
  });
  const ended = await place.here("export", ["--json"]);
  assert.equal(ended.code, 1, ended.stderr);
  await extendedNow(place);
  assert.match(ended.stderr, /extended the locks of 3 objects of 3 verifications/);
  const { failures } = ended.json as { failures: Section[] };
  assert.deepEqual(
    failures.map(({ client, code }) => [client, code]),
    [[CLIENT, "source-key"]],
  );
});

test("the provider's key is not even there: the locks are extended", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await due(sandbox);
  await rm(place.path("keys/provider"));
  assert.equal((await place.here("export")).code, 2);
  await extendedNow(place);
});

test("locks that cannot be extended do not stop the export: both are told, and the exit code is the locks'", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await due(sandbox);
  const note = place.path("vault", CLIENT, ".versions", "vault.json", (await notesOf(place))[0]!);
  await chmod(note, 0o600);
  await writeFile(note, "{}");
  sandbox.add(1);
  const ended = await place.here("export", ["--json"]);
  assert.equal(ended.code, 4, ended.stderr);
  const { clients, failures } = ended.json as { clients: ExportSummary[]; failures: Section[] };
  assert.deepEqual([clients[0]!.new, clients[0]!.outcome], [1, "done"]);
  assert.deepEqual(
    failures.map(({ client, code }) => [client, code]),
    [[CLIENT, "malformed"]],
  );
  assert.ok(ended.log.some(({ msg }) => msg === "locks not extended"));
  assert.equal((await place.entries("record.stored")).length, 4);
});

test("both fail: both are told, and the exit code is the graver one's", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await due(sandbox);
  const note = place.path("vault", CLIENT, ".versions", "vault.json", (await notesOf(place))[0]!);
  await chmod(note, 0o600);
  await writeFile(note, "{}");
  sandbox.intercept((_, response) => {
    response.writeHead(401).end();
    return true;
  });
  const ended = await place.here("export", ["--json"]);
  assert.equal(ended.code, 4, ended.stderr);
  assert.match(ended.stderr, /locks not extended/);
  assert.match(ended.stderr, /source-key/);
});

test("what a run stores of someone under a legal hold is held before the run ends", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const subject = await place.subject(sandbox.identity(1).id);
  const held = await place.here("hold", ["place", "--subject", subject, "--case", "1", "--reason", "test"]);
  assert.equal(held.code, 0, held.stderr);
  sandbox.change([1]);
  await place.export();
  const entries = (await place.stored()).get(subject)!;
  assert.equal(entries.length, 2);
  const vault = await place.vault();
  for (const { object } of entries) assert.equal((await vault.head(object.key, object.versionId)).hold, true);
});

async function notesOf(place: Workplace): Promise<string[]> {
  const names = await readdir(place.path("vault", CLIENT, ".versions", "vault.json"));
  return names.filter((name) => name.endsWith(".json")).sort();
}
