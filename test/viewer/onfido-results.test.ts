import assert from "node:assert/strict";
import { test } from "node:test";
import { dossierOf } from "../../src/viewer/dossier/dossier.ts";
import { resultsOf } from "../../src/viewer/dossier/result.ts";

type Dossier = Parameters<typeof dossierOf>[0];

function results(run: object, task: object) {
  const raw = [
    { endpoint: "GET /workflow_runs", text: JSON.stringify([{ id: "r", status: "declined", ...run }]) },
    {
      endpoint: "GET /workflow_runs/{workflow_run_id}/tasks/{task_id}",
      text: JSON.stringify({ id: "t", workflow_run_id: "r", task_def_id: "document_check", ...task }),
    },
  ];
  const { checks } = dossierOf({ source: { kind: "onfido" }, raw } as unknown as Dossier);
  return resultsOf(checks).map(({ word }) => word);
}

test("a run that says otherwise than its task of the same report is shown as well", () => {
  const output = { doc: { uuid: "u1", result: "consider", breakdown: {} } };
  const found = results({ output }, { output: { uuid: "u1", result: "clear", breakdown: {} } });
  assert.deepEqual(found.toSorted(), ["clear", "consider"]);
  // Said twice alike, it is shown once.
  const same = { uuid: "u1", result: "clear", breakdown: {} };
  assert.deepEqual(results({ output: { doc: same } }, { output: same }), ["clear"]);
});

test("a report without a breakdown is shown", () => {
  const output = { result: "consider", properties: { records: [{ name: "X" }] } };
  assert.deepEqual(results({ output: null }, { output }), ["consider"]);
});
