import assert from "node:assert/strict";
import { test } from "node:test";
import { Gaps } from "../../src/export/gaps.ts";
import type { Summary } from "../../src/export/summary.ts";
import { type Log, silentLog } from "../../src/observe/log.ts";
import { RIGHTS } from "../sandbox/persona/key.ts";
import { startPersona } from "../sandbox/persona/server.ts";
import { startStripe } from "../sandbox/stripe/server.ts";
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
  assert.match(
    first.stderr,
    /the key may not read GET \/cases.*, attribute note of inquiries: 12 stored records lack all or some of it/,
  );
  assert.equal(first.stderr.match(/"msg":"the key may not read/g)!.length, 1);
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

test("a narrow key of Stripe is one line in the log, which names all fields", async () => {
  await using stripe = await startStripe({ identities: 12, plainImages: true });
  stripe.restrict({ sensitive: "none" });
  await using place = await makeWorkplace(stripe, { client: { source: { kind: "stripe" } } });
  const ended = await place.here("export", ["--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  const [warning, ...others] = ended.log.filter(({ level }) => level === "warn");
  assert.deepEqual(others, []);
  assert.match(
    String(warning!.msg),
    /^the key may not read document\.dob, document\.expiration_date, .*verified_outputs\.unparsed_sex: \d+ stored records lack all or some of it$/,
  );
});

test("one missing field, and more than a line can hold", () => {
  const told = (gaps: readonly string[]): string => {
    const said: string[] = [];
    const log: Log = { ...silentLog, warn: (message) => void said.push(message) };
    const noted = new Gaps();
    noted.note(gaps);
    noted.note([]);
    noted.tell(log);
    return said.join();
  };
  assert.equal(told(["b"]), "the key may not read b: 1 stored record lacks it");
  assert.match(
    told(Array.from({ length: 23 }, (_, n) => `f${n}`)),
    / and 3 more: 1 stored record lacks all or some of it$/,
  );
  assert.equal(told([]), "");
});
