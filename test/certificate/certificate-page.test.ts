import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordPurged } from "../../src/audit/entry.ts";
import type { CertificateV3 } from "../../src/certificate/certificate.ts";
import { certificatePage } from "../../src/certificate/certificate-page.ts";

function purged(n: number): RecordPurged {
  const subject = n.toString(16).padStart(32, "0");
  const key = `records/${subject.slice(0, 2)}/${subject}/20261123T101500Z-0123456789ab.age`;
  const sha256 = n.toString(16).padStart(64, "f");
  const object = { key, versionId: "1", size: 1_000, sha256, versions: 1, due: "2026-11-24T00:00:00Z" };
  const common = { time: "2026-11-25T10:00:00.000Z", run: "20261125T100000Z-abcdef" };
  return { type: "record.purged", ...common, subject, objects: [object], whole: true };
}

function pageOf(records: number, shown: number): string {
  const totals = { subjects: records, records, files: 0, bytes: 1_000 * records, versions: records };
  const certificate: CertificateV3 = {
    ...{ holdfast: "certificate-of-destruction/3", client: "acme-bank", origin: "acme", vkey: "acme+1+2", totals },
    ...{ runs: ["20261125T100000Z-abcdef"], made: "2026-11-25T11:00:00Z", policy: {}, legalBasis: [], checkpoint: "" },
    files: { "entries.jsonl": "", "destroyed.csv": "" },
  };
  return certificatePage({
    ...{ certificate, digest: "00", days: ["2026-11-25", "2026-11-25"], approvers: [] },
    shown: Array.from({ length: shown }, (_, n) => purged(n)),
  });
}

test("the page of a small certificate shows all of it", () => {
  const page = pageOf(3, 3);
  assert.equal(page.match(/<section class="person">/g)?.length, 3);
  assert.match(page, /identity records listed below/);
  assert.doesNotMatch(page, /shows the first/);
});

test("the page of a huge one shows the figures and the first of it, and names the file that has all", () => {
  const page = pageOf(1_000_000, 5_000);
  assert.equal(page.match(/<section class="person">/g)?.length, 5_000);
  assert.match(page, /<b>1,000,000<\/b><span>verifications<\/span>/);
  assert.match(page, /shows the first 5,000 of 1,000,000 objects. All of them are in destroyed\.csv/);
  assert.match(page, /identity records listed in destroyed\.csv/);
  assert.ok(page.length < 8_000_000, `${page.length}`);
});
