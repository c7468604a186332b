import assert from "node:assert/strict";
import { test } from "node:test";
import type { Summary } from "../../src/export/summary.ts";
import { RIGHTS } from "../sandbox/persona/key.ts";
import { startPersona } from "../sandbox/persona/server.ts";
import { makeWorkplace } from "./workplace.ts";

test("what the key may not read is said in the run and in the record, and is fetched once it may", async () => {
  await using persona = await startPersona({
    ...{ identities: 12, plainImages: true, videoBytes: 4_000, searchDelay: 0 },
  });
  persona.restrict({ permissions: RIGHTS.permissions.filter((each) => each !== "case.read"), blocklist: ["note"] });
  await using place = await makeWorkplace(persona, { client: { source: { kind: "persona" } } });
  const run = async (...args: string[]): Promise<Summary & { stderr: string }> => {
    const ended = await place.here("export", [...args, "--json"]);
    assert.equal(ended.code, 0, ended.stderr);
    return { ...(ended.json as { clients: Summary[] }).clients[0]!, stderr: ended.stderr };
  };

  const first = await run();
  assert.deepEqual([first.new, first.incomplete], [12, 12]);
  assert.match(first.stderr, /the key may not read GET \/cases.*: \d+ stored records? lacks? it/);
  assert.match(first.stderr, /the key may not read attribute note of inquiries: 12 stored records lack it/);
  for (const id of persona.canaries()) assert.ok(!first.stderr.includes(id));
  const [entries] = (await place.stored()).values();
  const { gaps } = await place.record(entries![0]!);
  assert.ok(gaps?.includes("attribute note of inquiries"), String(gaps));
  const [finished] = await place.entries("run.finished");
  assert.equal(finished!.counts.incomplete, 12);

  persona.restrict({ permissions: RIGHTS.permissions, blocklist: [] });
  const then = await run(...persona.ids().flatMap((id) => ["--identity", `persona:${id}`]));
  assert.deepEqual([then.changed, then.incomplete], [12, 0]);
  assert.doesNotMatch(then.stderr, /may not read/);
});
