import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExact } from "../../src/io/exact-json.ts";
import { minimalIdentity } from "../../src/record/minimal.ts";
import { encodeRecord, type SealedRecord } from "../../src/record/record.ts";
import { startSandbox } from "../sandbox/server.ts";
import { sandboxed } from "./person.ts";

const decode = (bytes: Uint8Array): unknown => parseExact(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
const frame = {
  holdfast: "record/2",
  client: "acme",
  source: { name: "passbase", kind: "passbase", api: "https://api.example/v2", project: "p-1" },
  fetched: "2026-11-23T10:15:00.000Z",
} as const;

test("a full record has the format's fields in order, and returns the provider's bytes", async () => {
  await using sandbox = await startSandbox({ identities: 30 });
  for (let index = 0; index < 30; index++) {
    const resources = ['{"cursor":{"next":null},"data":[{"n":12345678901234567890}]}', '\u2028 \ud83d\ude00 "quoted"'];
    const record: SealedRecord = {
      ...frame,
      collect: "full",
      legalBasis: ["Regulation (EU) 2024/1624 Art. 77"],
      identity: sandboxed(sandbox, index),
      raw: [sandbox.text(index), ...resources].map((text) => ({ endpoint: "GET /identities/{id}", text })),
      files: [
        {
          ...{ id: "f", resource: "r", type: "document_image", page: 1, mediaType: "image/png" },
          ...{ size: 5, sha256: "00".repeat(32), key: "files/ab/x/y.age" },
        },
      ],
      withheld: [{ id: "g", resource: "r", reason: "forbidden" }],
    };
    const read = decode(encodeRecord(record)) as SealedRecord;
    assert.deepEqual(Object.keys(read), [
      ...["holdfast", "client", "source", "fetched", "collect", "legalBasis", "identity", "raw", "files", "withheld"],
    ]);
    assert.deepEqual(
      read.raw!.map(({ text }) => text),
      [sandbox.text(index), ...resources],
    );
    assert.deepEqual(Object.keys(read.files[0]!), [
      "id",
      "resource",
      "type",
      "page",
      "mediaType",
      "size",
      "sha256",
      "key",
    ]);
    assert.deepEqual(read, record);
  }
});

test("numbers in the normalised identity keep all their digits", async () => {
  await using sandbox = await startSandbox({ identities: 1 });
  const metadata = parseExact('{"reference":12345678901234567890}');
  const identity = { ...sandboxed(sandbox, 0), metadata };
  const bytes = encodeRecord({ ...frame, collect: "full", legalBasis: [], identity, files: [], withheld: [] });
  assert.ok(Buffer.from(bytes).includes('"reference":12345678901234567890'));
});

test("a minimal record contains nothing about the person", async () => {
  await using sandbox = await startSandbox({ identities: 60 });
  for (let index = 0; index < 60; index++) {
    const identity = minimalIdentity(sandboxed(sandbox, index), [18], Temporal.PlainDate.from("2024-01-01"));
    const bytes = encodeRecord({ ...frame, collect: "minimal", legalBasis: [], identity, files: [], withheld: [] });
    assert.equal("raw" in (decode(bytes) as object), false);
    for (const canary of sandbox.canaries([index])) assert.ok(!Buffer.from(bytes).includes(canary));
  }
});
