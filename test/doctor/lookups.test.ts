import assert from "node:assert/strict";
import { test } from "node:test";
import type { Diagnosis } from "../../jobs/doctor.ts";
import { makeWorkplace } from "../export/workplace.ts";
import { startSandbox } from "../sandbox/server.ts";

test("doctor tells of a lookup that was added or removed after people were stored, and what to do", async () => {
  await using sandbox = await startSandbox({ identities: 6, plainImages: true });
  await using place = await makeWorkplace(sandbox, { client: { lookups: { fields: ["email"] } } });
  const told = async () => {
    const diagnosis = (await place.here("doctor", ["--json"])).json as Diagnosis;
    return diagnosis.clients[0]!.findings.filter(({ check }) => check === "lookups");
  };
  assert.deepEqual(await told(), [], "no one is stored yet");
  await place.export();
  assert.deepEqual(
    (await told()).map(({ level }) => level),
    ["ok"],
  );

  await place.configure({ lookups: { fields: ["email", "document.number"] } });
  const [added, ...others] = await told();
  assert.deepEqual(others, []);
  assert.equal(added!.level, "warning");
  assert.match(added!.text, /none of the people who came into the vault first can be found by document\.number/);
  assert.match(added!.hint!, /export --identity <id> --again/);
  for (const id of sandbox.ids()) await place.export("--identity", id, "--again");
  assert.deepEqual(
    (await told()).map(({ level }) => level),
    ["ok"],
    "what the hint says helps",
  );

  await place.configure({ lookups: { fields: ["document.number"] } });
  assert.match((await told())[0]!.text, /email is not in lookups\.fields any more/);
});
