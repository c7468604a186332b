import assert from "node:assert/strict";
import { test } from "node:test";
import { startPersona } from "../sandbox/persona/server.ts";
import { makeWorkplace } from "./workplace.ts";

test("an address that is not on the key's list: every command that asks the source says so", async () => {
  await using persona = await startPersona({ identities: 2, plainImages: true, searchDelay: 0 });
  await using place = await makeWorkplace(persona, { client: { source: { kind: "persona" } } });
  await place.export();
  persona.restrict({ addressAllowed: false });
  for (const line of ["export", "export --dry-run", "reconcile", "backfill --plan"]) {
    const [command = "", ...args] = line.split(" ");
    const ended = await place.here(command, args);
    assert.equal(ended.code, 1, line);
    assert.equal(ended.log.at(-1)!.code, "source-key", line);
    assert.match(String(ended.log.at(-1)!.error), /refuses this key from this address/, line);
  }
});
