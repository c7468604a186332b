import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { formatReport, parseGranted, parseReport, type RequestReport } from "../../src/workers/wire.ts";

const number = fc.nat();
const worker = fc.uuid();
const headers = fc.dictionary(fc.constantFrom("retry-after", "ratelimit", "x-ratelimit-remaining"), fc.string());
const reports: fc.Arbitrary<RequestReport> = fc.oneof(
  fc.record({ kind: fc.constant("start" as const), worker, number }),
  fc.record({ kind: fc.constant("silence" as const), ms: fc.nat() }),
  fc.record({
    kind: fc.constant("ended" as const),
    ...{ worker, number },
    answer: fc.option(fc.record({ status: fc.integer({ min: 100, max: 599 }), headers }), { nil: undefined }),
  }),
);

test("a report reads back unchanged", () => {
  fc.assert(
    fc.property(reports, (report) =>
      assert.deepEqual(
        JSON.parse(JSON.stringify(parseReport(formatReport(report)))),
        JSON.parse(JSON.stringify(report)),
      ),
    ),
  );
});

test("only an answer's limit headers are passed on", () => {
  const answer = { status: 429, headers: { "retry-after": "3", "set-cookie": "id=Eve-77", "x-request-id": "Ada" } };
  const text = formatReport({ kind: "ended", worker: randomUUID(), number: 1, answer });
  assert.ok(!text.includes("Eve") && !text.includes("Ada"), text);
  const hostile = text.replace('"retry-after":"3"', '"retry-after":"3","set-cookie":"x","ratelimit":{"deep":1}');
  const parsed = parseReport(hostile);
  assert.deepEqual(parsed?.kind === "ended" && parsed.answer, { status: 429, headers: { "retry-after": "3" } });
});

test("invalid reports and grants are ignored", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      parseReport(text);
      parseGranted(text);
    }),
  );
  for (const text of ["", "[]", '["s"]', '["s","../x",1]', `["s","${randomUUID()}",-1]`, '["q","soon"]', "{"])
    assert.equal(parseReport(text), undefined, text);
  for (const text of ["", "null", "[]", '{"number":1}', '{"number":"1","at":1,"rate":1}'])
    assert.equal(parseGranted(text), undefined, text);
});
