import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSource } from "../../src/doctor/source.ts";
import { RIGHTS } from "../sandbox/persona/key.ts";
import { open } from "../source/persona/connect.ts";

test("doctor says what a key of Persona may not read, and which attributes a blocklist takes away", async (t) => {
  const { sandbox, source } = await open(t);
  const found = async () =>
    (await checkSource(source, "full", []))
      .filter(({ level }) => level !== "ok")
      .map(({ level, text }) => `${level} ${text}`);
  const [always, ...others] = await found();
  assert.match(always!, /sandbox key/);
  assert.deepEqual(others, []);
  sandbox.restrict({
    permissions: RIGHTS.permissions.filter((name) => name !== "report.read"),
    blocklist: ["note"],
  });
  const lines = (await found()).join("\n");
  assert.match(lines, /warning the key lacks report\.read: every record will lack reports/);
  assert.match(lines, /warning inquiries lack attributes .*: note\. No record is complete/);
  sandbox.restrict({ addressAllowed: false });
  assert.match((await found()).join(), /failure .*refuses this key from this address/);
});
