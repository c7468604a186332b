import assert from "node:assert/strict";
import { test } from "node:test";
import { day } from "../../src/cli/arguments.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("a day on the command line has the formats of a table, and an ambiguous one is refused", () => {
  assert.deepEqual(["2026-10-31", "31.10.2026", "2026/10/31"].map(day), Array(3).fill("2026-10-31"));
  for (const wrong of ["10/31/2026", "31.10.26", "31.02.2026", "2026-02-30", ""])
    assert.throws(() => day(wrong), /Write a day such as 2026-10-31 or 31\.10\.2026/);
});

test("relationship end takes --date 31.10.2025; a table that does not exist is named, with a hint", async () => {
  await using sandbox = await startSandbox({ identities: 1, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.export();
  const date = Temporal.Now.plainDateISO("UTC").subtract({ days: 1 });
  const [year, month, at] = date.toString().split("-");
  const person = ["--identity", sandbox.ids()[0]!, "--before-verification"];
  const ended = await place.here("relationship", ["end", ...person, "--date", `${at}.${month}.${year}`]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(
    (await place.entries("relationship.ended")).map((entry) => entry.ended),
    [date.toString()],
  );
  const missing = await place.here("relationship", ["end", "--csv", "nosuch.csv"]);
  assert.equal(missing.code, 2, missing.stderr);
  assert.match(missing.stderr, /cannot read nosuch\.csv \(ENOENT\)[\s\S]*Check that the file exists/);
});
