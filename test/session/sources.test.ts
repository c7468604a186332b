import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { makeWorkplace, type Section, type Workplace } from "../export/workplace.ts";
import { type Sandbox, startSandbox } from "../sandbox/server.ts";

interface Summary {
  readonly client: string;
  readonly source: string | null;
  readonly outcome: string;
  readonly examined: number;
  readonly new: number;
  readonly unchanged: number;
  readonly gone: number;
  readonly requests: number;
  readonly locks?: { readonly objects: number };
}

/** Two projects of a provider, with other people in each. */
async function twoSources(): Promise<{ first: Sandbox; second: Sandbox; place: Workplace }> {
  const first = await startSandbox({ identities: 4, files: false, seed: 11 });
  const second = await startSandbox({ identities: 3, files: false, seed: 22 });
  const place = await makeWorkplace(first, { client: { source: undefined, sources: sections(first, second) } });
  return { first, second, place };
}

function sections(first: Sandbox, second: Sandbox): [Section, Section] {
  const usual = { kind: "passbase", apiKey: "file:./keys/provider", rate: "10000/s" };
  return [
    { ...usual, url: first.url },
    { ...usual, name: "second", url: second.url },
  ];
}

const told = (summaries: readonly Summary[], ...names: readonly (keyof Summary)[]) =>
  summaries.map((summary) => [summary.source, ...names.map((name) => summary[name])]);

describe("two sources in one vault", () => {
  let first: Sandbox;
  let second: Sandbox;
  let place: Workplace;
  before(async () => {
    ({ first, second, place } = await twoSources());
  });
  after(async () => {
    await place[Symbol.asyncDispose]();
    await first.close();
    await second.close();
  });

  test("one export asks both, one after the other, and each summary names its source", async () => {
    const summaries = await place.expect<Summary>(0, "export");
    assert.deepEqual(told(summaries, "new", "outcome"), [
      ["passbase", 4, "done"],
      ["second", 3, "done"],
    ]);
    assert.deepEqual(
      ["limits.sqlite", "limits-second.sqlite"].map((name) => existsSync(place.path("state/acme-bank", name))),
      [true, true],
    );
    // Neither source lists the other's people.
    for (let night = 0; night < 3; night += 1) {
      const next = await place.expect<Summary>(0, "export");
      assert.deepEqual(told(next, "unchanged", "gone"), [
        ["passbase", 4, 0],
        ["second", 3, 0],
      ]);
    }
    assert.equal((await place.here("verify")).code, 0);
  });

  test("--source chooses, and an unknown name is refused with the names that there are", async () => {
    const before = first.requests.total;
    assert.deepEqual(told(await place.expect<Summary>(0, "export", "--source", "second"), "unchanged"), [
      ["second", 3],
    ]);
    assert.equal(first.requests.total, before);
    for (const command of ["export", "backfill", "reconcile", "doctor"]) {
      const { code, log } = await place.here(command, ["--source", "third"]);
      assert.equal(code, 2);
      assert.match(String(log.at(-1)!.error), /no source is called "third"/);
      assert.match(String(log.at(-1)!.hint), /Name one of: passbase, second/);
    }
  });

  test("an id says by its prefix which source it is of", async () => {
    const [one] = first.ids();
    const [other] = second.ids();
    const both = ["--identity", `passbase:${one}`, "--identity", `second:${other}`];
    const summaries = await place.expect<Summary>(0, "export", "--identity", `second:${other}`);
    assert.deepEqual(told(summaries, "examined", "unchanged"), [["second", 1, 1]]);
    // Two sources are of the provider passbase, but only one has that name.
    assert.deepEqual(told(await place.expect<Summary>(0, "export", ...both), "unchanged"), [
      ["passbase", 1],
      ["second", 1],
    ]);
    const bare = await place.here("export", ["--identity", one!]);
    assert.equal(bare.code, 2);
    assert.match(bare.stderr, /does not say which source it is of/);
    assert.match(bare.stderr, /passbase:… or second:…/);
    assert.doesNotMatch(bare.stderr, new RegExp(one!));
    const wrong = await place.here("export", ["--identity", "passbase:no-such-id", "--identity", `second:${other}`]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /the provider has no such identity/);
    const alone = await place.expect<Summary>(0, "export", "--source", "passbase", "--identity", one!);
    assert.deepEqual(told(alone, "examined"), [["passbase", 1]]);
  });

  test("an id of a kept person is found at every provider, or at the one before the colon", async () => {
    const [one] = first.ids();
    for (const id of [one!, `passbase:${one}`, `PASSBASE: ${one}`]) {
      assert.equal((await place.here("erasure", ["assess", "--identity", id])).code, 0, id);
    }
    const other = await place.here("erasure", ["assess", "--identity", `persona:${one}`]);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /no one with that identity/);
  });

  test("reconcile compares each with its own people", async () => {
    const compared = await place.expect<{ source: { name: string; listed: number }; gone: { count: number } }>(
      0,
      "reconcile",
    );
    assert.deepEqual(
      compared.map(({ source, gone }) => [source.name, source.listed, gone.count]),
      [
        ["passbase", 4, 0],
        ["second", 3, 0],
      ],
    );
  });

  test("a source that refuses its key: the others are exported, and both are told", async () => {
    const [one, other] = sections(first, second);
    await writeFile(place.path("keys/wrong"), "wrong", { mode: 0o600 });
    await place.configure({ sources: [{ ...one, apiKey: "file:./keys/wrong" }, other] });
    second.add(1);
    const ended = await place.here("export", ["--json"]);
    assert.equal(ended.code, 1, ended.stderr);
    const { clients, failures } = ended.json as { clients: Summary[]; failures: Section[] };
    assert.deepEqual(told(clients, "new"), [["second", 1]]);
    assert.deepEqual(
      failures.map(({ client, source, code }) => [client, source, code]),
      [["acme-bank", "passbase", "source-key"]],
    );
    assert.ok(ended.log.some(({ msg, source }) => msg === "source failed" && source === "passbase"));
    assert.match(String(ended.log.at(-1)!.error), /1 of 2 sources failed .*: acme-bank, passbase/);
    // The next source did not fail, and does not hide it.
    const failed = await place.here("status", [], { isTerminal: true });
    assert.match(failed.stdout, /^! last run +export, failed,/m);
    assert.match(failed.stdout, /^! source +passbase: export, failed,/m);
    assert.match(failed.stdout, /^ {2}source +second \(passbase\): export, done,/m);
    await place.configure({ sources: [one, other] });
    await place.export();
    assert.match((await place.here("status", [], { isTerminal: true })).stdout, /^ {2}last run +export, done,/m);
  });

  test("status tells of each source, and the one that failed is not hidden by the next that did not", async () => {
    first.setFaults({ fail: 100, retryAfter: 0 });
    const { code } = await place.here("export");
    first.setFaults({ fail: 0 });
    assert.equal(code, 1);
    const shown = await place.here("status", [], { isTerminal: true });
    assert.match(shown.stdout, /^! last run +export, failed,/m);
    assert.match(shown.stdout, /^! source +passbase: export, failed,/m);
    assert.match(shown.stdout, /^ {2}source +second \(passbase\): export, done,/m);
    await place.export();
    const then = await place.here("status", [], { isTerminal: true });
    assert.match(then.stdout, /^ {2}last run +export, done,/m);
  });

  test("backfill: each source in turn, with its own words for a status", async () => {
    const summaries = await place.expect<Summary>(0, "backfill");
    assert.deepEqual(told(summaries, "unchanged"), [
      ["passbase", 4],
      ["second", 4],
    ]);
    const wrong = await place.here("backfill", ["--status", "needs_review"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /Passbase has no status needs_review/);
    assert.match(wrong.stderr, /created, processing/);
  });

  test("a worker works for one source", async () => {
    const ended = await place.here("worker", ["--redis", "redis://127.0.0.1:9"]);
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, /a worker works for one source, but acme-bank has several/);
    assert.match(ended.stderr, /--source <name>: passbase or second/);
  });
});

test("a source under another name still answers for its people: export --subject and reconcile ask it", async () => {
  await using sandbox = await startSandbox({ identities: 3, files: false });
  await using place = await makeWorkplace(sandbox);
  await place.expect(0, "export");
  // After the former name in the alphabet: the log knows both.
  await place.configure({ source: { name: "zebra" } });
  await place.expect(0, "export");
  const subject = await place.subject(sandbox.identity(0).id);
  const [again] = await place.expect<{ again: number }>(0, "export", "--subject", subject);
  assert.equal(again!.again, 1);
  sandbox.vanish([0]);
  const [compared] = await place.expect<{ gone: { count: number } }>(0, "reconcile");
  assert.equal(compared!.gone.count, 1);
});

describe("a provider that is gone", () => {
  test("a retired source is not asked, needs no key, and no one of it is gone", async () => {
    const { first, second, place } = await twoSources();
    await using _place = place;
    await using _second = second;
    await place.expect(0, "export");
    const [one] = first.ids();
    const [, other] = sections(first, second);
    await first.close();
    await place.configure({ sources: [{ kind: "passbase", retired: true }, other] });
    for (let night = 0; night < 3; night += 1) {
      const summaries = await place.expect<Summary>(0, "export");
      assert.deepEqual(told(summaries, "unchanged", "gone"), [["second", 3, 0]]);
    }
    const doctor = await place.here("doctor", ["--json"]);
    assert.match(doctor.stdout, /passbase is retired: not asked/);
    assert.equal((await place.here("doctor")).code, 0, doctor.stdout);
    assert.equal((await place.here("verify")).code, 0);
    const [compared] = await place.expect<{ gone: { count: number } }>(0, "reconcile");
    assert.equal(compared!.gone.count, 0);
    assert.equal((await place.here("erasure", ["assess", "--identity", one!])).code, 0);
    const asked = await place.here("export", ["--identity", `passbase:${one}`]);
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /is retired/);
  });

  test("where all are retired, an export extends the locks and says so", async () => {
    await using sandbox = await startSandbox({ identities: 2, files: false });
    await using place = await makeWorkplace(sandbox);
    await place.expect(0, "export");
    await sandbox.close();
    await place.configure({ source: { kind: "passbase", retired: true, apiKey: undefined, url: undefined } });
    const [summary] = await place.expect<Summary>(0, "export");
    assert.deepEqual([summary!.source, summary!.outcome, summary!.requests], [null, "done", 0]);
    assert.ok(summary!.locks);
    const named = await place.here("export", ["--subject", "0".repeat(32)]);
    assert.equal(named.code, 2);
    assert.match(named.stderr, /no one can be stored again: acme-bank asks no source, its sources are retired/);
    const said = await place.here("export");
    assert.match(said.stderr, /its sources are retired, so this run only extends locks/);
    for (const line of ["verify", "status", "backfill", "reconcile", "report --json"]) {
      const [command = "", ...args] = line.split(" ");
      assert.equal((await place.here(command, args)).code, 0, line);
    }
  });
});
