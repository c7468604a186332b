import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PROVIDER_KINDS } from "../../src/provider/provider.ts";
import type { SealedRecord } from "../../src/record/record.ts";
import { dossierOf } from "../../src/viewer/dossier/dossier.ts";
import { fieldsOf } from "../../src/viewer/fields.ts";
import { rowsOf } from "../../src/viewer/rows.ts";

const ENDPOINTS = [
  ...["GET /identity/verification_reports", "GET /identity/verification_sessions/{id}", "GET /workflow_runs"],
  ...["GET /workflow_runs/{workflow_run_id}/tasks/{task_id}", "GET /checks", "GET /reports", "GET /documents"],
  ...["GET /inquiries/{inquiry-id}", "GET /cases/{case-id}", "GET /documents/{document-id}"],
];

/** Names that the page looks for, and names that JavaScript has a meaning for. */
const NAMES = [
  ...["data", "reports", "checks", "documents", "document", "selfie", "files", "error", "options", "status", "result"],
  ...[
    "breakdown",
    "properties",
    "output",
    "included",
    "attributes",
    "type",
    "id",
    "name",
    "created",
    "workflow_run_id",
  ],
  ...["__proto__", "constructor", "toString", "toJSON", "valueOf", "length"],
];

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom<unknown>(null, true, 0, -1e300, "", "clear", "report/x", "verification/y", "constructor"),
    fc.array(tie("any"), { maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom(...NAMES), tie("any")), { maxLength: 6 }).map((members) => {
      const json = members.map(([name, inner]) => `${JSON.stringify(name)}:${JSON.stringify(inner)}`);
      return JSON.parse(`{${json.join()}}`) as unknown;
    }),
  ),
})).any;

const record = (kind: string, raw: unknown, identity: unknown): SealedRecord =>
  ({ source: { kind }, raw, identity, fetched: "2026-01-01T00:00:00Z", legalBasis: [] }) as unknown as SealedRecord;

test("whatever a provider answers, its record is read, and each line is text", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PROVIDER_KINDS),
      fc.array(fc.tuple(fc.constantFrom(...ENDPOINTS), value), { maxLength: 5 }),
      value,
      (kind, answers, identity) => {
        const raw = answers.map(([endpoint, answer]) => ({ endpoint, text: JSON.stringify(answer) }));
        const of = record(kind, raw, identity);
        for (const { label, is } of rowsOf(fieldsOf(of), null))
          assert.deepEqual([typeof label, typeof is], ["string", "string"]);
        const { fileName } = dossierOf(of);
        for (const id of ["documents/constructor", "__proto__", "toString/x", ""]) fileName(id, "constructor");
      },
    ),
    { numRuns: 2_000 },
  );
});

test("answers that are cut, nested very deeply, or no list of answers, are read for what they have", () => {
  const deep = `${"[".repeat(50_000)}1${"]".repeat(50_000)}`;
  const object = `${'{"breakdown":{"a":'.repeat(10_000)}1${"}}".repeat(10_000)}`;
  for (const [kind, endpoint, wrap] of [
    [
      "stripe",
      "GET /identity/verification_sessions/{id}",
      (text: string) => `{"last_error":${text},"options":${text}}`,
    ],
    ["onfido", "GET /reports", (text: string) => `{"reports":[{"breakdown":${text},"properties":${text}}]}`],
    ["onfido", "GET /workflow_runs", (text: string) => `[{"output":${text},"reasons":${text}}]`],
    [
      "persona",
      "GET /inquiries/{inquiry-id}",
      (text: string) => `{"included":[{"type":"report/x","attributes":{"a":${text}}}]}`,
    ],
  ] as const)
    for (const text of [deep, object, '"cut'])
      assert.ok(fieldsOf(record(kind, [{ endpoint, text: wrap(text) }], {})).size >= 1);
  for (const raw of [undefined, null, "x", { identity: 1 }, [1, null, { endpoint: {}, text: {} }]])
    assert.deepEqual([...fieldsOf(record("onfido", raw, {})).keys()], [...fieldsOf(record("onfido", [], {})).keys()]);
});
