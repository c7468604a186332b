import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyTally, type Summary } from "../../src/export/summary.ts";
import { summaryText } from "../../src/session/export-summary.ts";

const rows = (counts: Partial<Summary>): string[] => {
  const run = {
    client: "acme",
    source: "main",
    run: "r",
    outcome: "done",
    requests: 1,
    retries: 0,
    seconds: 1,
  } as const;
  return summaryText({ ...run, ...emptyTally(), ...counts }).map((line) =>
    typeof line === "string" ? line : line.text,
  );
};

test("the summary says why people were asked about, where it is not by the list alone", () => {
  const said = rows({ askedByList: 3, askedInTurn: 1200, askedAfterFailure: 2 }).find((row) => /asked/.test(row));
  assert.equal(said, "  asked     3 by its list, 2 failed before, 1,200 in turn");
  assert.ok(!rows({ askedByList: 3 }).some((row) => /asked/.test(row)));
});
