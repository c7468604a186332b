import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { promisify } from "node:util";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";
import { CLIENT, makeWorkplace, resourceAnswers, type Workplace } from "./workplace.ts";

/** Every byte of the log as it lies on the disk, partial bundles too. */
async function logOnDisk(place: Workplace): Promise<string> {
  const root = place.path("vault", CLIENT, "audit");
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  const files = found
    .filter((entry) => entry.isFile())
    .map((entry) => readFile(`${entry.parentPath}/${entry.name}`, "latin1"));
  return (await Promise.all(files)).join("\n");
}

interface Answers {
  /** Content-Type of every file. */
  readonly contentType?: string;
  readonly file?: (n: number) => Record<string, unknown>;
  readonly files?: number;
  /** Members that replace those of the identity's own answer. */
  readonly identity?: Record<string, unknown>;
}

/** One identity's answers are a hostile provider's; all others are the sandbox's. */
function hostile(
  sandbox: Sandbox,
  index: number,
  { contentType = "image/png", file, files = 1, identity }: Answers,
): void {
  const { id } = sandbox.identity(index);
  const send = (response: ServerResponse, type: string, body: string): true => {
    response.writeHead(200, { "Content-Type": type }).end(body);
    return true;
  };
  sandbox.intercept((request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url!, sandbox.origin);
    if (identity && pathname.endsWith(`/identities/${id}`))
      return send(response, "application/json", JSON.stringify({ ...sandbox.identity(index), ...identity }));
    if (pathname.endsWith(`/identity/${id}/resources`)) {
      const resource_files = Array.from({ length: files }, (_, n) => ({
        ...{ id: `f${n}`, type: "document_image", page: n, created: 1, updated: 2 },
        ...file?.(n),
      }));
      return send(response, "application/json", JSON.stringify({ cursor: {}, data: [{ id: "r", resource_files }] }));
    }
    const name = new RegExp(`/identity/${id}/resources/r/resource_files/(f\\d+)$`).exec(pathname)?.[1];
    return name !== undefined && send(response, contentType, `the bytes of ${name}`);
  });
}

for (const [what, answers] of Object.entries({
  "a file type of 501 characters": { file: () => ({ type: "T".repeat(501) }) },
  "a file type that names someone": { file: () => ({ type: "Eve Example born 1980-01-01" }) },
  "a media type of 600 letters": { contentType: `${"a".repeat(600)}/x` },
  "a media type that names someone": { contentType: "image/eve-example-1980" },
  "a file type of control characters": { file: () => ({ type: "\u001b[2J\u202e" }) },
} satisfies Record<string, Answers>)) {
  test(`the provider cannot break the vault: ${what}`, async () => {
    await using sandbox = await startSandbox({ identities: 4, plainImages: true });
    await using place = await makeWorkplace(sandbox);
    hostile(sandbox, 1, answers);
    const summary = await place.export();
    assert.deepEqual([summary.new, summary.failed], [4, 0]);
    await place.expect(0, "verify", "--read-data", "100");
    const log = await logOnDisk(place);
    for (const words of ["TTTT", "Eve", "eve-example", "aaaaaaaaaa", "\u001b[2J", "\\u001b"])
      assert.ok(!log.includes(words), words);
    // The catalog is lost, and every command makes it from the log.
    await rm(place.path("state", CLIENT), { recursive: true });
    await place.expect(0, "rebuild");
    assert.equal((await place.export()).unchanged, 4);
    const subject = await place.subject(sandbox.identity(1).id);
    const held = await place.here("hold", ["place", "--subject", subject, "--case", "1", "--reason", "test"]);
    assert.equal(held.code, 0, held.stderr);
    // The sealed record still has what the provider said, to the letter.
    const [entry] = (await place.stored()).get(subject)!;
    const record = await place.record(entry!);
    const type = "file" in answers ? answers.file().type : "document_image";
    assert.equal(JSON.parse(resourceAnswers(record)[0]!).data[0].resource_files[0].type, type);
  });
}

test("one person stops no one: 1,500 documents with numbers of their own", async () => {
  await using sandbox = await startSandbox({ identities: 30, files: false });
  await using place = await makeWorkplace(sandbox);
  const resources = Array.from({ length: 1500 }, (_, n) => ({
    type: "PASSPORT",
    datapoints: { document_number: `HOSTILE${String(n).padStart(6, "0")}` },
  }));
  hostile(sandbox, 5, { identity: { resources }, files: 0 });
  const summary = await place.export();
  assert.deepEqual([summary.outcome, summary.new, summary.failed], ["done", 30, 0]);
  const [entry] = (await place.stored()).get(await place.subject(sandbox.identity(5).id))!;
  assert.equal(Object.keys(entry!.lookups).filter((name) => name.startsWith("document.number")).length, 100);
  await place.expect(0, "verify");
  assert.equal((await place.export()).unchanged, 30);
});

test("a person with 1,000 files is kept, each file once, and no one behind them waits", {
  timeout: 300_000,
}, async () => {
  await using sandbox = await startSandbox({ identities: 6, files: false });
  await using place = await makeWorkplace(sandbox);
  hostile(sandbox, 0, { files: 1000 });
  const summary = await place.export();
  assert.deepEqual([summary.outcome, summary.new, summary.files, summary.failed], ["done", 6, 1000, 0]);
  const subject = await place.subject(sandbox.identity(0).id);
  const folder = place.path("vault", CLIENT, "files", subject.slice(0, 2), subject);
  assert.equal((await readdir(folder)).length, 1000);
  const [entry] = (await place.stored()).get(subject)!;
  const parts = (await place.entries("record.files")).filter((part) => part.subject === subject);
  assert.equal(entry!.moreFiles, 1000);
  assert.equal(new Set(parts.flatMap(({ files }) => files.map(({ key }) => key))).size, 1000);
  // Each is what its entry says, and opens with the age command alone.
  const { files } = await place.record(entry!);
  assert.equal(files.length, 1000);
  for (const file of [files[0]!, files.at(-1)!]) {
    const { stdout } = await promisify(execFile)("age", [
      "-d",
      "-i",
      place.officer.file,
      place.path("vault", CLIENT, file.key),
    ]);
    assert.equal(createHash("sha256").update(stdout).digest("hex"), file.sha256);
  }
  await place.expect(0, "verify", "--read-data", "100");

  // The next night fetches none of them again, also after the catalog was lost.
  await rm(place.path("state", CLIENT), { recursive: true });
  sandbox.requests.clear();
  const again = await place.export();
  assert.deepEqual([again.unchanged, again.files], [6, 0]);
  await place.expect(0, "verify", "--orphans");
});

test("25 people in a row with unreadable answers do not stop the export of the others", async () => {
  await using sandbox = await startSandbox({ identities: 40, files: false });
  await using place = await makeWorkplace(sandbox);
  const broken = new Set(Array.from({ length: 25 }, (_, index) => sandbox.identity(index).id));
  sandbox.intercept((request, response) => {
    if (!broken.has(request.url!.split("/").at(-1)!)) return false;
    response.writeHead(200, { "Content-Type": "application/json" }).end('{"owner":');
    return true;
  });
  const [summary] = await place.expect(3, "export");
  assert.deepEqual([summary!.outcome, summary!.new, summary!.failed], ["partial", 15, 25]);
});

for (const [status, people] of [
  [401, 1],
  [403, 25],
] as const) {
  test(`answers of ${status} about ${people} of 30 people do not keep the others from their export`, async () => {
    await using sandbox = await startSandbox({ identities: 30, files: false });
    await using place = await makeWorkplace(sandbox);
    const refused = new Set(Array.from({ length: people }, (_, index) => sandbox.identity(index).id));
    sandbox.intercept((request, response) => {
      if (!refused.has(request.url!.split("/").at(-1)!)) return false;
      response.writeHead(status, { "Content-Type": "application/json" }).end("{}");
      return true;
    });
    const [summary] = await place.expect(3, "export");
    assert.deepEqual([summary!.outcome, summary!.new, summary!.failed], ["partial", 30 - people, people]);
  });
}
