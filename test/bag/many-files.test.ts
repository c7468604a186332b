import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { StoredFile } from "../../src/audit/entry.ts";
import { AuditWriter } from "../../src/audit/writer.ts";
import { checkBag } from "../../src/bag/reader.ts";
import { parseRecipients } from "../../src/config/recipients.ts";
import { systemClock } from "../../src/core/clock.ts";
import { Sealer } from "../../src/seal/seal.ts";
import { makeScene } from "../verify/scene.ts";
import { fileKey, recordKey, recordOf, VERSION } from "./forge.ts";

const FILES = 1_000;
const SUBJECT = "ab".repeat(16);

test("a record of a thousand files, most of them in entries of their own: retrieved, checked, opened", async () => {
  await using scene = await makeScene({}, 2);
  const { vault, client, state, place } = scene;
  const sealer = new Sealer(await parseRecipients([place.officer.recipient]));
  const until = systemClock().add({ hours: 24 * 90 });
  const lock = { mode: "governance", until } as const;
  const lockedUntil = until.toString({ smallestUnit: "second" });
  const plain = Array.from({ length: FILES }, (_, n) => ({ key: fileKey(SUBJECT, n), plain: Buffer.from(`${n}`) }));
  const put = async (key: string, bytes: Uint8Array) => {
    const { versionId, size, sha256 } = await vault.put(key, await sealer.seal(bytes), { lock });
    return { key, versionId, size, sha256 };
  };
  const files: StoredFile[] = [];
  for (const { key, plain: bytes } of plain)
    files.push({ ...(await put(key, bytes)), type: "document_image", mediaType: "image/png", lockedUntil });
  const object = await put(recordKey(SUBJECT), Buffer.from(JSON.stringify(recordOf(plain))));
  const writer = await AuditWriter.open({
    ...{ vault, signer: await scene.signer(), state, now: systemClock, holds: () => {} },
    conditional: { ifNoneMatch: false, ifMatch: false },
    lock: { mode: "governance", initial: client.retention.initialLock },
  });
  const common = {
    time: "2026-11-23T10:15:00.000Z",
    run: "20261123T101500Z-abcdef",
    subject: SUBJECT,
    version: VERSION,
  };
  for (let at = 0; at < 900; at += 150)
    await writer.append({ type: "record.files", ...common, files: files.slice(at, at + 150) });
  await writer.append({
    ...{ type: "record.stored", ...common, updated: "2026-01-01T00:00:00Z", object, files: files.slice(900) },
    ...{ moreFiles: 900, withheld: 0, recipients: sealer.fingerprints as string[], lockedUntil, lookups: {} },
  });
  await writer.flush();
  await writer.close();

  const bag = place.path("bag");
  const words = ["--case", "1", "--requested-by", "Ada", "--reason", "why"];
  const ended = await place.here("retrieve", [...words, "--subject", SUBJECT, "--out", bag, "--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal((ended.json as { files: number }).files, FILES);
  const { vkey } = (await scene.signer()).verifier;
  assert.equal((await checkBag(bag, vkey)).records[0]!.files.length, FILES);
  const out = place.path("opened");
  assert.equal((await place.here("open", [bag, "--key", place.officer.file, "--out", out])).code, 0);
  assert.equal((await readdir(join(out, SUBJECT, VERSION))).length, FILES + 1);
});
