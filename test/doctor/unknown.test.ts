import assert from "node:assert/strict";
import { test } from "node:test";
import type { Diagnosis } from "../../jobs/doctor.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("what could not be checked is told as that: neither ok nor a warning", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  const { unknown, clients } = (await place.here("doctor", ["--json"])).json as Diagnosis;
  assert.equal(unknown, 1);
  const [found] = clients[0]!.findings.filter(({ level }) => level === "unknown");
  assert.match(found!.text, /so the right to fetch files could not be checked$/);
  const { stdout } = await place.here("doctor");
  assert.match(stdout, /^ {2}unknown {2}source .*could not be checked$/m);
  assert.match(stdout, /^0 failures, \d+ warnings?, \d+ ok, 1 that could not be checked$/m);
});
